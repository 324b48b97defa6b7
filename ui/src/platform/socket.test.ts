import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CallError } from './platform';
import { socket, socketUrl } from './socket';

/** A WebSocket whose other end is the test. */
class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  binaryType = '';
  sent: { id: number; name: string; request: unknown }[] = [];
  raw: (string | ArrayBuffer)[] = [];
  onopen?: () => void;
  onmessage?: (event: { data: unknown }) => void;
  onclose?: () => void;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  send(message: string | ArrayBuffer) {
    this.raw.push(message);
    if (typeof message === 'string') this.sent.push(JSON.parse(message));
  }

  open() {
    this.readyState = FakeSocket.OPEN;
    this.onopen?.();
  }

  close() {
    this.readyState = 3;
    this.onclose?.();
  }
}

const FRAME = { epoch: 1, cursor: 0, watch: [], fresh: true };
const last = () => FakeSocket.all[FakeSocket.all.length - 1];

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  vi.stubGlobal('WebSocket', FakeSocket);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function connected() {
  const platform = socket('ws://host/ws');
  last().open();
  return platform;
}

function binary(id: number, bytes: number[]): ArrayBuffer {
  const buffer = new ArrayBuffer(8 + bytes.length);
  new DataView(buffer).setUint32(0, id, true);
  new Uint8Array(buffer, 8).set(bytes);
  return buffer;
}

describe('socket', () => {
  it.each([['http:', 'ws://h:1/ws'], ['https:', 'wss://h:1/ws']])('goes from %s to %s', (protocol, url) => {
    expect(socketUrl({ protocol, host: 'h:1' })).toBe(url);
  });

  it('gives every answer to the request it belongs to, in whatever order they come', async () => {
    const platform = connected();
    const tags = platform.call('tags', { epoch: 1, offset: 0, limit: 5 });
    const frame = platform.frame(FRAME);
    expect(last().sent).toEqual([
      { id: 1, name: 'tags', request: { epoch: 1, offset: 0, limit: 5 } }, { id: 2, name: 'frame', request: FRAME },
    ]);
    last().onmessage?.({ data: binary(2, [1, 2, 3]) });
    last().onmessage?.({ data: JSON.stringify({ id: 1, ok: { total: 0, tags: [] } }) });
    expect([...new Uint8Array(await frame)]).toEqual([1, 2, 3]);
    expect(await tags).toEqual({ total: 0, tags: [] });
  });

  it('sends a piece of a file behind its request, import and offset', async () => {
    const platform = connected();
    const put = platform.put(7, 2 ** 33 + 5, new Uint8Array([9, 8]));
    const message = last().raw.at(-1) as ArrayBuffer;
    const head = new DataView(message);
    expect([head.getUint32(0, true), head.getUint32(4, true), head.getBigUint64(8, true)]).toEqual([1, 7, 2n ** 33n + 5n]);
    expect([...new Uint8Array(message, 16)]).toEqual([9, 8]);
    last().onmessage?.({ data: JSON.stringify({ id: 1, ok: null }) });
    await expect(put).resolves.toBeUndefined();
  });

  it('hands on the error code of the host', async () => {
    const platform = connected();
    const frame = platform.frame(FRAME);
    last().onmessage?.({ data: JSON.stringify({ id: 1, error: { code: 'stale', message: 'epoch 1 is over' } }) });
    await expect(frame).rejects.toMatchObject({ code: 'stale', message: 'epoch 1 is over' });
  });

  it('fails what was waiting when the connection breaks, and what is asked before it is back', async () => {
    const platform = connected();
    const waiting = platform.frame(FRAME);
    last().close();
    await expect(waiting).rejects.toMatchObject({ code: 'unreachable' });
    await expect(platform.call('hello', null)).rejects.toBeInstanceOf(CallError);
  });

  it('connects again with growing pauses, for ever, and quickly after a success', () => {
    connected();
    const pauses: number[] = [];
    for (let i = 0; i < 8; i++) {
      last().close();
      const count = FakeSocket.all.length;
      let waited = 0;
      for (; FakeSocket.all.length === count; waited += 50) vi.advanceTimersByTime(50);
      pauses.push(waited);
    }
    expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
    last().open();
    last().close();
    const count = FakeSocket.all.length;
    vi.advanceTimersByTime(250);
    expect(FakeSocket.all.length).toBe(count + 1);
  });
});
