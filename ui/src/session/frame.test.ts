import { describe, expect, it } from 'vitest';
import { encodeFrame, type FakeValue } from '../platform/fake/encode';
import { BadFrame, decodeFrame, FLAG_SIMULATED, kindOf, TRUSTS, trustOf } from './frame';
import { ValueStore } from './values';

const VALUES: FakeValue[] = [
  { id: 3, value: 598.25, kind: 'float', trust: 'live', status: 0, sourceTime: 1_000.5, serverTime: 1_001, received: 1_002 },
  { id: 0, value: NaN, kind: 'text', trust: 'uncertain', status: 0x40940600, text: 'Käse ✓' },
  { id: 7, value: 1, kind: 'boolean', trust: 'linkDown', status: 0x80ae0000 },
];

describe('decodeFrame', () => {
  // One, two and three values: the u32 columns are padded for the odd counts.
  it.each([0, 1, 2, 3])('reads back %i values', (count) => {
    const values = VALUES.slice(0, count);
    const frame = decodeFrame(encodeFrame({ flags: FLAG_SIMULATED, epoch: 9, at: 1e12, seq: 42, values }));
    expect([frame.epoch, frame.at, frame.seq, frame.count, frame.simulated, frame.replay]).toEqual([9, 1e12, 42, count, true, false]);
    values.forEach((v, i) => {
      expect(frame.ids[i]).toBe(v.id);
      expect(frame.values[i]).toEqual(v.value);
      expect(frame.sourceTimes[i]).toEqual(v.sourceTime ?? NaN);
      expect(frame.serverTimes[i]).toEqual(v.serverTime ?? NaN);
      expect(frame.received[i]).toEqual(v.received ?? NaN);
      expect(frame.statuses[i]).toBe(v.status);
      expect(kindOf(frame.flags[i])).toBe(v.kind);
      expect(trustOf(frame.flags[i])).toBe(v.trust);
    });
  });

  it('reads bytes laid out by hand from docs/FRAME.md', () => {
    const tail = new TextEncoder().encode('{"texts":["x"]}');
    const buffer = new ArrayBuffer(40 + 32 + 4 * 8 + tail.length);
    const out = new DataView(buffer);
    [0x3146534c, 1, 5, 1, tail.length, 0].forEach((w, i) => out.setUint32(4 * i, w, true));
    [123, 4, 1.5, 10, 20, 30].forEach((x, i) => out.setFloat64(24 + 8 * i, x, true));
    [17, 0x80340000, 5 | (6 << 4), 0].forEach((w, i) => out.setUint32(72 + 8 * i, w, true));
    new Uint8Array(buffer, 104).set(tail);
    const frame = decodeFrame(buffer);
    expect([frame.replay, frame.at, frame.seq, frame.values[0], frame.sourceTimes[0], frame.serverTimes[0], frame.received[0]])
      .toEqual([true, 123, 4, 1.5, 10, 20, 30]);
    expect([frame.ids[0], frame.statuses[0], kindOf(frame.flags[0]), trustOf(frame.flags[0]), frame.texts[0]])
      .toEqual([17, 0x80340000, 'text', 'refused', 0]);
  });

  it('refuses what is not a frame', () => {
    const good = encodeFrame({ values: VALUES });
    const otherMagic = good.slice(0);
    new DataView(otherMagic).setUint32(0, 1, true);
    for (const bad of [new ArrayBuffer(10), otherMagic, good.slice(0, -1), new ArrayBuffer(40)]) {
      expect(() => decodeFrame(bad)).toThrow(BadFrame);
    }
  });

  it('never takes an unknown trust for live', () => {
    for (let n = TRUSTS.length; n < 16; n++) expect(trustOf(n << 4)).toBe('bad');
  });
});

describe('ValueStore', () => {
  const filled = () => {
    const store = new ValueStore();
    store.reset(8);
    store.apply(decodeFrame(encodeFrame({ values: VALUES })));
    return store;
  };

  it('keeps the last value by id', () => {
    const store = filled();
    store.apply(decodeFrame(encodeFrame({ values: [{ id: 3, value: 600, kind: 'float', trust: 'late' }] })));
    expect(store.get(3)).toMatchObject({ value: 600, trust: 'late', text: null });
    expect(store.get(0)).toMatchObject({ kind: 'text', text: 'Käse ✓', trust: 'uncertain', status: 0x40940600 });
    expect(store.trust(7)).toBe('linkDown');
  });

  it('knows nothing of a tag that was never sent, nor of one outside the configuration', () => {
    const store = filled();
    store.apply(decodeFrame(encodeFrame({ values: [{ id: 99, value: 1 }] })));
    expect([store.get(1), store.get(99), store.trust(1)]).toEqual([null, null, null]);
  });

  it('forgets everything with another configuration', () => {
    const store = filled();
    store.reset(8);
    expect(store.get(3)).toBeNull();
  });
});
