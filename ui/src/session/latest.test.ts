import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Latest } from './latest';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

it('makes at most 30 requests a second while somebody scrubs, and the last one in any case', async () => {
  const made: number[] = [];
  const seek = new Latest<number>((at) => {
    made.push(at);
    return Promise.resolve();
  }, 34);
  for (let at = 0; at < 200; at++) {
    seek.ask(at);
    await pass(5);
  }
  await pass(100);
  expect(made.length).toBeGreaterThan(20);
  expect(made.length).toBeLessThanOrEqual(31);
  expect(made.at(-1)).toBe(199);
});

it('has one in flight, however slow the answers are', async () => {
  let [inFlight, most] = [0, 0];
  const made: number[] = [];
  const seek = new Latest<number>(async (at) => {
    made.push(at);
    most = Math.max(most, ++inFlight);
    await new Promise((resolve) => setTimeout(resolve, 300));
    inFlight--;
  }, 34);
  for (let at = 0; at < 100; at++) {
    seek.ask(at);
    await pass(10);
  }
  await pass(1_000);
  expect([most, made[0], made.at(-1)]).toEqual([1, 0, 99]);
  expect(made.length).toBeLessThanOrEqual(6);
});

it('forgets what waits when it is not wanted any more', async () => {
  const made: number[] = [];
  const seek = new Latest<number>((at) => {
    made.push(at);
    return Promise.resolve();
  }, 34);
  seek.ask(1);
  seek.ask(2);
  seek.drop();
  await pass(100);
  expect(made).toEqual([1]);
});
