import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FrameRequest, Hello, ReplayView } from '../generated/api';
import { CallError, type Platform } from '../platform';
import { encodeFrame } from '../platform/fake/encode';
import { fakePlant, SCENARIOS } from '../platform/fake/plant';
import { PACE_HIDDEN_MS, PACE_MANY_MS, Puller, SILENT_MS, WATCH_MANY } from './puller';
import { Session } from './session';

const HELLO: Hello = { version: '0', mode: 'live', epoch: 1, plant: fakePlant(SCENARIOS[0]), problems: [], open: null };

const REPLAY: ReplayView = {
  positionMs: 5, fromMs: 0, toMs: 10, playing: false, speed: 1, reachedSpeed: null, following: false, loopFromMs: null, loopToMs: null, jump: 1,
  growing: false, shift: 's', file: 's.shift', digestsEqual: 0, differsAtMs: null, damaged: 0, doubt: 'none', failure: null,
};

/** A host whose answers the test gives by hand. */
class Host implements Platform {
  readonly downloads = true;
  hello: Hello = HELLO;
  hellos = 0;
  requests: FrameRequest[] = [];
  inFlight = 0;
  mostInFlight = 0;
  answer: (request: FrameRequest) => Promise<ArrayBuffer> = (request) =>
    Promise.resolve(encodeFrame({ epoch: request.epoch, seq: this.requests.length, at: 1000 }));

  call<T>() {
    this.hellos++;
    return Promise.resolve(this.hello as T);
  }

  put() {
    return Promise.resolve();
  }

  async frame(request: FrameRequest) {
    this.requests.push(request);
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    try {
      return await this.answer(request);
    } finally {
      this.inFlight--;
    }
  }
}

let host: Host;
let session: Session;
let puller: Puller;
let hidden = false;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(document, 'hidden', 'get').mockImplementation(() => hidden);
  hidden = false;
  host = new Host();
  session = new Session();
  puller = new Puller(host, session, () => undefined);
});

afterEach(() => {
  puller.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function run(ms: number) {
  await vi.advanceTimersByTimeAsync(ms);
}

describe('Puller', () => {
  it('says hello once, then pulls from its cursor with at most ten requests a second', async () => {
    puller.start();
    await run(2_000);
    expect(host.hellos).toBe(1);
    expect(host.requests.length).toBeGreaterThan(12);
    expect(host.requests.length).toBeLessThanOrEqual(21);
    expect(host.requests.slice(0, 3).map((r) => r.cursor)).toEqual([0, 1, 2]);
    expect(session.phase).toBe('live');
  });

  it('never has two requests in flight, however slow the answers are', async () => {
    const quick = host.answer;
    host.answer = (request) => new Promise((resolve) => setTimeout(() => resolve(quick(request)), 700));
    puller.start();
    await run(5_000);
    expect(host.mostInFlight).toBe(1);
    expect(host.requests.length).toBeGreaterThan(4);
  });

  it.each([
    ['while the page is hidden', true, 1, PACE_HIDDEN_MS],
    ['with very many watched tags', false, WATCH_MANY + 1, PACE_MANY_MS],
  ])('slows down %s', async (_, isHidden, watched, pace) => {
    hidden = isHidden;
    puller.setWatch(Array.from({ length: watched }, (_, i) => i));
    puller.start();
    await run(10 * pace);
    expect(host.requests.length).toBeLessThanOrEqual(12);
    expect(host.requests.length).toBeGreaterThan(6);
  });

  it('asks for all values once when other tags are visible', async () => {
    puller.start();
    await run(500);
    const before = host.requests.length;
    puller.setWatch([4, 5]);
    await run(500);
    const after = host.requests.slice(before);
    expect(after.map((r) => r.fresh).filter(Boolean)).toHaveLength(1);
    expect(after[0]).toMatchObject({ watch: [4, 5], fresh: true });
  });

  it('goes on when an animation frame comes later than the timer that stood in for it', async () => {
    const late: FrameRequestCallback[] = [];
    vi.spyOn(window, 'requestAnimationFrame').mockImplementation((callback) => late.push(callback));
    puller.start();
    for (let turn = 0; turn < 8; turn++) {
      await run(300);
      late.splice(0).forEach((callback) => callback(0));
    }
    const before = host.requests.length;
    await run(2_000);
    expect(host.requests.length).toBeGreaterThan(before + 3);
  });

  it('becomes silent when its own loop stands still', async () => {
    puller.start();
    await run(1_000);
    expect(session.phase).toBe('live');
    vi.spyOn(window, 'requestAnimationFrame').mockImplementation(() => 0);
    Reflect.set(puller, 'onAnimationFrame', () => undefined);
    await run(SILENT_MS + 1_000);
    expect(session.phase).toBe('silent');
  });

  it('becomes silent when there are greetings but no frames, says why, and is live again with a frame', async () => {
    const good = host.answer;
    host.answer = () => Promise.reject(new CallError('internal', 'no frame today'));
    puller.start();
    await run(SILENT_MS + 1_000);
    expect(host.hellos).toBeGreaterThan(3);
    expect([session.phase, session.trouble]).toEqual(['silent', 'no frame today']);
    host.answer = good;
    await run(1_500);
    expect([session.phase, session.trouble]).toEqual(['live', null]);
  });

  it('becomes silent when an answer does not come, and live again when one does', async () => {
    puller.start();
    await run(500);
    const quick = host.answer;
    let release: (() => void) | undefined;
    host.answer = (request) => new Promise((resolve) => (release = () => resolve(quick(request))));
    await run(SILENT_MS - 500);
    expect(session.phase).toBe('live');
    await run(1_000);
    expect(session.phase).toBe('silent');
    host.answer = quick;
    release?.();
    await run(200);
    expect(session.phase).toBe('live');
  });

  it('becomes silent when every request fails, keeps trying, and starts anew afterwards', async () => {
    puller.start();
    await run(500);
    const quick = host.answer;
    host.call = () => Promise.reject(new CallError('unreachable', 'refused'));
    host.answer = () => Promise.reject(new CallError('unreachable', 'cable out'));
    await run(SILENT_MS + 1_000);
    expect([session.phase, session.trouble]).toEqual(['silent', 'refused']);
    host.call = Host.prototype.call.bind(host) as Host['call'];
    host.answer = quick;
    await run(1_500);
    expect([session.phase, session.trouble]).toEqual(['live', null]);
  });

  it('says hello again when its epoch is over, and forgets what it knew', async () => {
    puller.start();
    await run(500);
    session.simulated = true;
    host.hello = { ...HELLO, epoch: 2 };
    const quick = host.answer;
    host.answer = (request) => (request.epoch === 2 ? quick(request) : Promise.reject(new CallError('stale', 'epoch 1 is over')));
    await run(500);
    expect(host.hellos).toBe(2);
    expect(session.hello?.epoch).toBe(2);
    expect(session.simulated).toBe(false);
    const firstOfNew = host.requests.find((r) => r.epoch === 2);
    expect(firstOfNew).toMatchObject({ cursor: 0, fresh: true });
  });

  it('takes a frame of another epoch for stale, not for data', async () => {
    host.answer = () => Promise.resolve(encodeFrame({ epoch: 7, at: 5 }));
    puller.start();
    await run(50);
    expect(session.at).toBeNull();
  });

  it('looks again for a plant while there is none', async () => {
    host.hello = { ...HELLO, plant: null, problems: [{ place: 'plant.toml', problem: 'p', remedy: 'r' }] };
    puller.start();
    await run(4_000);
    expect([session.phase, host.requests.length]).toEqual(['problems', 0]);
    const other = [{ place: 'plant.toml', problem: 'another', remedy: 'r' }];
    host.hello = { ...host.hello, problems: other };
    await run(4_000);
    expect(session.hello?.problems).toEqual(other);
    host.hello = HELLO;
    await run(4_000);
    expect(session.phase).toBe('live');
  });
});

describe('Puller of a recording', () => {
  const JUMP = { ...REPLAY, jump: 1 };

  beforeEach(() => {
    puller = new Puller(host, session, () => undefined, 7);
    host.hello = { ...HELLO, epoch: 7, mode: 'replay' };
    host.answer = (request) => Promise.resolve(encodeFrame({ epoch: request.epoch, seq: host.requests.length, at: 1000, tail: { replay: JUMP } }));
  });

  it('ends when the recording is not open any more, and asks no further', async () => {
    puller.start();
    await run(500);
    expect(session.playback).toEqual(JUMP);
    host.answer = () => Promise.reject(new CallError('stale', 'epoch 7 is over'));
    await run(500);
    const before = host.requests.length;
    await run(5_000);
    expect([session.phase, host.requests.length, host.hellos]).toEqual(['ended', before, 1]);
  });

  it('goes on where only the way to the program is broken', async () => {
    puller.start();
    await run(500);
    const quick = host.answer;
    host.answer = () => Promise.reject(new CallError('unreachable', 'cable out'));
    await run(1_000);
    host.answer = quick;
    await run(1_500);
    expect([session.phase, session.trouble]).toEqual(['live', null]);
  });

  it('asks for every value after a jump, and forgets the notices before it', async () => {
    const notice = { seq: 1, atMs: 1, kind: 'linkUp' as const, connection: 0, tag: null, fromMs: null, toMs: null, lost: null, status: 0, detail: '' };
    let jump = 1;
    host.answer = (request) => Promise.resolve(encodeFrame({
      epoch: 7, seq: request.cursor + 1, tail: { notices: host.requests.length < 4 ? [notice] : [], replay: { ...JUMP, jump } },
    }));
    puller.start();
    await run(400);
    expect([session.notices.length, host.requests.slice(1).some(({ fresh }) => fresh)]).toEqual([3, false]);
    jump = 2;
    const before = host.requests.length;
    await run(400);
    expect([session.notices.length, host.requests.slice(before).filter(({ fresh }) => fresh).length]).toEqual([0, 1]);
  });
});

describe('Session', () => {
  it('keeps what a frame does not mention, and notices newest first up to a limit', async () => {
    puller.start();
    let seq = 0;
    const notice = () => ({ seq: ++seq, atMs: seq, kind: 'linkUp' as const, connection: 0, tag: null, fromMs: null, toMs: null, lost: null, status: 0, detail: '' });
    const shift = { name: 'Early', startMs: 0, endMs: 1, crew: null, scheduled: true };
    host.answer = (request) => Promise.resolve(encodeFrame({
      epoch: request.epoch, seq: request.cursor + 1,
      tail: { notices: Array.from({ length: 60 }, notice), ...(request.cursor === 0 ? { shift } : {}) },
    }));
    await run(1_500);
    expect(session.shift).toEqual(shift);
    expect(session.notices).toHaveLength(200);
    expect(session.notices[0].seq).toBe(seq);
    expect(session.notices[199].seq).toBe(seq - 199);
  });
});
