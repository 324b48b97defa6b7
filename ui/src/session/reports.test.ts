import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CallError, type Platform } from '../platform';
import { fake } from '../platform/fake';
import { ASK_MS, Reports } from './reports';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function reports(answer: (turn: number) => Promise<unknown>): { of: Reports; turns: () => number; changed: () => number } {
  let [turns, changed] = [0, 0];
  const platform = { ...fake('good'), call: (() => answer(turns++)) as Platform['call'] };
  return { of: new Reports(platform, () => changed++), turns: () => turns, changed: () => changed };
}

const good = () => fake('good').call('connections', { epoch: 1 });
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('Reports', () => {
  it('asks at once, then only for news, and not too often', async () => {
    const { of, turns, changed } = reports(good);
    of.follow(1);
    await pass(0);
    expect([turns(), changed(), of.told.length]).toEqual([1, 1, 1]);
    of.follow(2);
    await pass(ASK_MS - 1);
    of.follow(3);
    expect(turns()).toBe(1);
    await pass(1);
    of.follow(3);
    await pass(ASK_MS);
    of.follow(3);
    expect(turns()).toBe(2);
  });

  it('asks again after a failure, never two at a time, and forgets what an older run told', async () => {
    let answer: (value: unknown) => void = () => undefined;
    const { of, turns } = reports((turn) => (turn === 0 ? Promise.reject(new CallError('unreachable', '')) : new Promise((resolve) => (answer = resolve))));
    of.follow(1);
    await pass(ASK_MS);
    of.follow(1);
    await pass(ASK_MS);
    of.follow(2);
    expect(turns()).toBe(2);
    of.reset(2);
    answer(await good());
    await pass(0);
    expect(of.told).toEqual([]);
  });
});
