// Comparing: pins, rows of what differs, two shifts on one clock, and the two sessions behind them.

import { describe, expect, it, vi } from 'vitest';
import { offsetText, offsetTicks, pairColumns, type Side } from '../../charts/offsets';
import type { Comparison, PlantInfo, TagInfo, TimelineView, ValueAt } from '../../generated/api';
import { PlantTime } from '../../kit/plant-time';
import { CallError, type Platform } from '../../platform';
import { encodeFrame } from '../../platform/fake/encode';
import { fakePlant, fakeTags } from '../../platform/fake/plant';
import { commonUnits, instantAt, laneOf, rangeOf, startOf } from './align';
import { filtered, firstChange, rowsOf } from './difference';
import { momentsOf } from './moments';
import { Pair } from './pair.svelte';
import { Pins } from './pins.svelte';
import { Recording } from './side.svelte';

const MIN = 60_000;
const plain = (text: string) => text.replaceAll('\u202f', '_');

describe('pins', () => {
  it('belong to one recording', () => {
    const pins = new Pins();
    pins.pin('a', 'x', 1);
    pins.pin('b', 'x', 2);
    pins.swap();
    expect([pins.at('a', 'x'), pins.at('b', 'x'), pins.at('a', 'y')]).toEqual([2, 1, null]);
    pins.pin('b', 'y', 3);
    expect([pins.at('a', 'y'), pins.at('b', 'y'), pins.at('a', 'x')]).toEqual([null, 3, null]);
    pins.clear();
    expect([pins.shift, pins.b]).toEqual([null, null]);
  });
});

describe('the pair', () => {
  it('forgets the moment of a recording that is exchanged, and takes it along when both are swapped', () => {
    const pair = new Pair();
    pair.choose('a', 'x');
    pair.choose('b', 'y');
    pair.at('a', 7);
    pair.choose('a', 'x');
    pair.swap();
    expect([pair.a, pair.moments]).toEqual(['y', { a: null, b: 7 }]);
    pair.choose('b', 'z');
    expect([pair.moments.b, pair.align]).toEqual([null, 'moments']);
  });
});

describe('what differs', () => {
  const plant = fakePlant('good');
  const tags = fakeTags('good');
  const value = (change: Partial<ValueAt>): ValueAt => ({ value: 1, text: null, status: 0, trust: 'live', sourceMs: 0, ...change });
  const none: Comparison = { aMs: 0, bMs: 10, units: [], tags: [], moreTags: 0, sameTags: 3, links: [], notices: [] };
  const unit = { unit: 1, aState: 'Execute', bState: 'Aborted', aRate: 598, bRate: 0, aGood: 118_240, bGood: 118_240, aReject: null, bReject: 3, firstChangedMs: 7 };
  const rows = (change: Partial<Comparison>, tag: (id: number) => TagInfo | null = (id) => tags[id]) => rowsOf({ ...none, ...change }, { plant, tag });
  const shown = (all: ReturnType<typeof rows>) => all.map(({ name, what, a, b, change, unit }) => [name, what, plain(a.text), plain(b.text), plain(change), unit].join('|'));

  it('of a unit is only what differs', () => {
    expect(shown(rows({ units: [unit] }))).toEqual([
      'Capper|state|Execute|Aborted||', 'Capper|speed|598|0|−598|bottles/min', 'Capper|reject count|–|3||bottles',
    ]);
    expect(shown(rows({ units: [{ ...unit, unit: 77, aState: 'Aborted', aRate: 0, bReject: null }] }))).toEqual([]);
  });

  it('comes by units, links, tags; within them by the first change, and what has none last', () => {
    const tag = (id: number, firstChangedMs: number | null) => ({ tag: id, a: value({}), b: value({ value: 2 }), firstChangedMs, samples: 4 });
    const all = rows({ tags: [tag(3, null), tag(9, 5), tag(8, 2)], links: [{ connection: 0, aUp: true, bUp: false, firstChangedMs: 9 }], units: [unit] });
    expect(all.map(({ key }) => key)).toEqual(['unit-1-state', 'unit-1-speed', 'unit-1-reject count', 'link-0', 'tag-8', 'tag-9', 'tag-3']);
    expect([firstChange(all), firstChange([])]).toEqual([2, null]);
    expect(filtered(all, 'capper speed').map(({ key }) => key)).toEqual(['unit-1-speed', 'tag-9']);
    expect(filtered(all, ' ')).toHaveLength(all.length);
  });

  it.each([
    [8, value({ value: 6 }), value({ value: 9 }), 'Execute (6)|Aborted (9)|'], [9, value({ value: 598.4 }), value({ value: 0 }), '598.4|0.0|−598.4'],
    [13, value({ value: 61.2 }), value({ value: null, status: 0x808c0000, trust: 'bad' }), '61.2|–|'], [9, value({ text: 'ok' }), value({ text: 'no' }), 'ok|no|'],
  ])('tag %i', (id, a, b, words) => {
    expect(rows({ tags: [{ tag: id, a, b, firstChangedMs: 1, samples: 2 }] }).map((row) => plain(`${row.a.text}|${row.b.text}|${row.change}`))).toEqual([words]);
  });

  it('says why a value is not to be believed', () => {
    const b = (change: Partial<ValueAt>) => rows({ tags: [{ tag: 9, a: value({}), b: value(change), firstChangedMs: 1, samples: 2 }] })[0].b;
    expect(b({ trust: 'late' })).toMatchObject({ look: 'stale', shape: 'clock', why: 'late' });
    expect(b({ trust: 'bad', status: 0x808c0000 })).toMatchObject({ text: '–', shape: 'cross', why: 'the sensor reports a fault' });
    expect(b({})).toMatchObject({ look: 'live', shape: null, why: '' });
  });

  it('names a tag by its number until its name is there', () => {
    expect(rows({ tags: [{ tag: 9, a: value({}), b: value({}), firstChangedMs: null, samples: 0 }] }, () => null)[0].name).toBe('Tag 9');
  });
});

describe('two shifts on one clock', () => {
  const a: Side = { from: 1_000 * MIN, to: 1_480 * MIN, zero: 1_000 * MIN };
  const b: Side = { from: 5_010 * MIN, to: 5_400 * MIN, zero: 5_000 * MIN };

  it('reach from the first to the last of both', () => expect(rangeOf([a, b])).toEqual({ from: 0, to: 480 * MIN }));

  it.each([[0, 1_000 * MIN, null], [10 * MIN, 1_010 * MIN, 5_010 * MIN], [450 * MIN, 1_450 * MIN, null], [-1, null, null]])('at offset %i', (offset, inA, inB) => {
    expect([instantAt(a, offset), instantAt(b, offset)]).toEqual([inA, inB]);
  });

  it.each([
    [{ name: 'Early', startMs: 5, endMs: 9, crew: null, scheduled: true }, 5], [{ name: '', startMs: 5, endMs: 9, crew: null, scheduled: false }, 7], [null, 7],
  ])('begin with %j at %i', (shift, start) => expect(startOf(shift, 7)).toBe(start));

  it('match units by name', () => {
    const plant = fakePlant('good');
    const other: PlantInfo = { ...plant, units: [{ ...plant.units[1], id: 0 }, { ...plant.units[0], id: 1, name: 'Washer' }, { ...plant.units[2], hasState: false }] };
    expect(commonUnits(plant, other).map(({ name, a, b }) => `${name} ${a} ${b}`)).toEqual([
      'Filler 0 null', 'Capper 1 0', 'Labeller 2 null', 'Packer 3 null', 'Palletizer 4 null', 'Washer null 1',
    ]);
    expect(commonUnits(null, null)).toEqual([]);
  });

  it('move stretches, and leave open what is not recorded', () => {
    const strips = [{ unit: 3, intervals: [{ startMs: 5_020 * MIN, kind: 'running' as const, state: 'Execute' }, { startMs: 5_100 * MIN, kind: 'stopped' as const, state: 'Aborted' }] }];
    expect(laneOf(strips, 3, b, 5 * MIN).map(({ from, to, look }) => [from / MIN, to / MIN, look])).toEqual([
      [10, 20, 'unknown'], [20, 100, 'running'], [100, 400, 'stopped'],
    ]);
    expect(laneOf(strips, null, b, 0).map(({ look }) => look)).toEqual(['unknown']);
  });

  it('draw curves that are not joined across a time in which nobody counted', () => {
    const points = (of: Side, list: [number, number | null][]) => list.map(([minute, total]) => ({ atMs: of.zero + minute * MIN, total }));
    const columns = pairColumns(points(a, [[0, 0], [1, 10], [9, 20]]), points(b, [[9, 1], [10, 5], [11, null]]), { a, b });
    // What lies outside of the recording does not count; between 1 and 9 a null breaks A.
    expect(columns).toEqual([[0, 60, 300, 540, 600, 660], [0, 10, null, 20, undefined, undefined], [undefined, undefined, undefined, undefined, 5, null]]);
  });

  it.each([[0, '0:00:00'], [3_870_000, '+1:04:30'], [-720_000, '−0:12:00'], [499, '0:00:00']])('%i ms is %s', (offset, text) => expect(offsetText(offset)).toBe(text));

  it.each([
    [0, 480 * MIN, 8, [0, 60, 120, 180, 240, 300, 360, 420, 480]], [-90 * MIN, 100 * MIN, 4, [-60, 0, 60]], [0, 4 * MIN, 5, [0, 1, 2, 3, 4]],
  ])('ticks from %i to %i, at most %i', (from, to, most, minutes) => expect(offsetTicks(from, to, most).map((ms) => ms / MIN)).toEqual(minutes));
});

describe('moments to lay on each other', () => {
  it('are stops of the line, bookmarks and events, in order of time', () => {
    const line: TimelineView = {
      fromMs: 0, toMs: 600 * MIN, shift: null, gaps: [], noticesDropped: 0, complete: true, progress: 1,
      strips: [{ unit: 1, intervals: [{ startMs: 0, kind: 'running', state: 'Execute' }, { startMs: 70 * MIN, kind: 'stopped', state: 'Aborted' }, { startMs: 72 * MIN, kind: 'running', state: 'Execute' }] }],
      marks: [{ id: 1, atMs: 60 * MIN, untilMs: null, text: 'drift', author: null, madeMs: 0 }],
      notices: [{ seq: 1, atMs: 80 * MIN, kind: 'linkDown', connection: 0, tag: null, fromMs: null, toMs: null, lost: null, status: 0, detail: '' }],
    };
    const found = momentsOf({ timeline: line, plant: fakePlant('good') }, new PlantTime('UTC'));
    expect(found.map(({ at, text }) => [at / MIN, text])).toEqual([
      [60, '01:00:00 Bookmark: drift'], [70, '01:10:00 Aborted for 2m 00s'], [80, expect.stringMatching(/^01:20:00 line3/)],
    ]);
    expect(momentsOf(null, new PlantTime('UTC'))).toEqual([]);
  });
});

describe('a recording laid beside another', () => {
  const line: TimelineView = { fromMs: 100, toMs: 900, shift: null, strips: [], gaps: [], notices: [], noticesDropped: 0, marks: [], complete: true, progress: 1 };

  function host(change: Partial<Record<string, () => Promise<unknown>>> = {}) {
    const asked: string[] = [];
    let at = 0;
    const platform: Platform = {
      downloads: false,
      call: ((name: string, request: { value?: number }) => {
        asked.push(request.value === undefined ? name : `${name} ${request.value}`);
        if (name === 'play') at = request.value ?? 0;
        const made: Record<string, unknown> = { open: { epoch: 5, shift: 'x' }, hello: { plant: fakePlant('good'), epoch: 5 }, timeline: line };
        return change[name]?.() ?? Promise.resolve(made[name] ?? null);
      }) as Platform['call'],
      frame: ({ epoch, cursor }) => {
        expect([epoch, cursor]).toEqual([5, 0]);
        return Promise.resolve(encodeFrame({ epoch, at, tail: { units: [], output: [{ atMs: at, total: 7 }] } }));
      },
      put: () => Promise.resolve(),
    };
    return { platform, asked };
  }

  it('knows the whole curve, and is led to the last instant that was asked for', async () => {
    const { platform, asked } = host();
    const recording = new Recording(platform, 'x');
    await recording.open();
    expect([recording.ready, recording.output]).toEqual([true, [{ atMs: 900, total: 7 }]]);
    for (const at of [200, 300, 400]) recording.lead(at);
    await vi.waitFor(() => expect(recording.at).toBe(400));
    recording.lead(null);
    expect(asked.filter((name) => name.startsWith('play'))).toEqual(['play 900', 'play 200', 'play 400']);
    recording.close();
    expect(asked.at(-1)).toBe('close');
  });

  it('is closed although it was left before it was open', async () => {
    const { platform, asked } = host();
    const recording = new Recording(platform, 'x');
    const opening = recording.open();
    recording.close();
    await opening;
    expect(asked).toEqual(['open', 'close']);
  });

  it('says why it cannot be opened', async () => {
    const { platform } = host({ open: () => Promise.reject(new CallError('refused', 'Too many are open.')) });
    const recording = new Recording(platform, 'x');
    await recording.open();
    recording.lead(5);
    expect([recording.failure, recording.ready]).toEqual(['Too many are open.', false]);
  });

  it('asks again for a time bar that is not complete', async () => {
    vi.useFakeTimers();
    let asked = 0;
    const { platform } = host({ timeline: () => Promise.resolve({ ...line, complete: ++asked > 2 }) });
    const recording = new Recording(platform, 'x');
    const opening = recording.open();
    await vi.advanceTimersByTimeAsync(5_000);
    await opening;
    vi.useRealTimers();
    expect([asked, recording.timeline?.complete]).toEqual([3, true]);
  });
});
