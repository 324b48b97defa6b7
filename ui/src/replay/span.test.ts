import { describe, expect, it } from 'vitest';
import { PlantTime } from '../kit/plant-time';
import { panned, revealing, roomFor, SHORTEST_MS, ticksOf, timeAt, xOf, zoomed } from './span';
import { typedTime } from './typed-time';

const HOUR = 3_600_000;
const whole = { from: 0, to: 8 * HOUR };
const berlin = new PlantTime('Europe/Berlin');

describe('span', () => {
  it('keeps what is under the pointer where it is', () => {
    const at = timeAt(300, whole, 1000);
    const closer = zoomed(whole, whole, at, 0.25);
    expect(closer.to - closer.from).toBe(2 * HOUR);
    expect(xOf(at, closer, 1000)).toBeCloseTo(300);
  });

  it.each([
    ['in, to a second at most', { from: 5_000, to: 6_500 }, 6_000, 0.1, SHORTEST_MS],
    ['out, to the whole at most', { from: HOUR, to: 7 * HOUR }, 2 * HOUR, 10, 8 * HOUR],
  ])('zooms %s', (_, span, at, factor, length) => {
    const found = zoomed(span, whole, at, factor);
    expect(found.to - found.from).toBe(length);
    expect(found.from).toBeGreaterThanOrEqual(0);
    expect(found.to).toBeLessThanOrEqual(whole.to);
  });

  it.each([
    [-9 * HOUR, { from: 0, to: HOUR }], [9 * HOUR, { from: 7 * HOUR, to: 8 * HOUR }], [HOUR, { from: 3 * HOUR, to: 4 * HOUR }],
  ])('pans by %i and stays within the recording', (by, expected) => {
    expect(panned({ from: 2 * HOUR, to: 3 * HOUR }, whole, by)).toEqual(expected);
  });

  it('shows the position again when it left the view', () => {
    const span = { from: 0, to: HOUR };
    expect(revealing(span, whole, HOUR / 2)).toBe(span);
    expect(revealing(span, whole, 2 * HOUR, 0.1)).toEqual({ from: 1.9 * HOUR, to: 2.9 * HOUR });
  });

  it.each([[1, 0.25], [HOUR / 4, 0.25], [HOUR / 4 + 1, 0.5], [7.9 * HOUR, 8], [12 * HOUR + 1, 24], [25 * HOUR, 36]])('has room for %d ms', (length, hours) => {
    expect(roomFor(length)).toBe(hours * HOUR);
  });

  it.each([
    [8 * HOUR, 1000, ['01:00', '02:00']], [HOUR, 1200, ['01:00', '01:05']], [60_000, 1000, ['01:00:00', '01:00:05']],
    [2_000, 1000, ['01:00:00.0', '01:00:00.2']],
  ])('has round ticks in %i ms over %i px', (length, width, first) => {
    const ticks = ticksOf({ from: 0, to: length }, width, berlin);
    expect(ticks.slice(0, 2).map(({ text }) => text)).toEqual(first);
    expect(ticks.length).toBeLessThanOrEqual(width / 76 + 1);
  });
});

describe('typedTime', () => {
  const at = (iso: string) => Date.parse(iso);
  const early = { from: at('2026-11-21T05:00:00.250Z'), to: at('2026-11-21T13:00:00Z') };
  const night = { from: at('2026-11-21T21:00:00Z'), to: at('2026-11-22T05:00:00Z') };
  /** Clocks go back at 03:00 and forward at 02:00. */
  const autumn = { from: at('2026-10-24T20:00:00Z'), to: at('2026-10-25T05:00:00Z') };
  const spring = { from: at('2026-03-28T21:00:00Z'), to: at('2026-03-29T04:00:00Z') };

  it.each([
    ['10:12', early, early.from, '2026-11-21T09:12:00.000Z'],
    ['9:05', early, early.from, '2026-11-21T08:05:00.000Z'],
    [' 10:12:36.4 ', early, early.from, '2026-11-21T09:12:36.400Z'],
    ['10:12:36,125', early, early.from, '2026-11-21T09:12:36.125Z'],
    ['2026-11-21 10:12', early, early.from, '2026-11-21T09:12:00.000Z'],
    ['21.11. 10:12', early, early.from, '2026-11-21T09:12:00.000Z'],
    ['06:00', early, early.to, '2026-11-21T05:00:00.250Z'],
    ['23:30', night, night.from, '2026-11-21T22:30:00.000Z'],
    ['03:12', night, night.from, '2026-11-22T02:12:00.000Z'],
    ['02:30', autumn, at('2026-10-25T00:00:00Z'), '2026-10-25T00:30:00.000Z'],
    ['02:30', autumn, at('2026-10-25T04:00:00Z'), '2026-10-25T01:30:00.000Z'],
  ])('takes %j for an instant', (text, whole, position, expected) => {
    const typed = typedTime(text, berlin, whole, position);
    expect('at' in typed && new Date(typed.at).toISOString()).toBe(expected);
  });

  it.each([
    ['', 'form'], ['soon', 'form'], ['10', 'form'], ['25:00', 'time'], ['10:61', 'time'], ['2026-13-01 10:00', 'date'], ['31.02. 10:00', 'date'],
    ['15:00', 'outside'], ['2026-11-20 10:00', 'outside'],
  ])('says what is wrong with %j', (text, problem) => {
    expect(typedTime(text, berlin, early, early.from)).toEqual({ problem });
  });

  it('knows that an hour is left out in spring', () => {
    expect(typedTime('2026-03-29 02:30', berlin, spring, spring.from)).toEqual({ problem: 'noSuchTime' });
  });
});
