import { describe, expect, it, vi } from 'vitest';
import type { IntervalKind, IntervalView } from '../generated/api';
import { columnsOf, countedOf, target, topOf } from './output';
import { sparkPath } from './spark';
import { rects, stretchAt, stretches, windowOf } from './strip';

vi.mock('uplot', () => ({ default: vi.fn() }));

const interval = (startMs: number, kind: IntervalKind, state = 'Execute'): IntervalView => ({ startMs, kind, state });

describe('strips', () => {
  const MINOR = 50;
  const day = [interval(0, 'running'), interval(400, 'stopped', 'Aborted'), interval(440, 'running'), interval(600, 'held', 'Held'), interval(700, 'suspended', 'Suspended'), interval(800, 'changeover', 'Stopped')];

  it.each([
    [[], 15],
    [[interval(0, 'unknown'), interval(9_950_000, 'running')], 15],
    [[interval(8_100_000, 'running')], 60],
    [[interval(-90_000_000, 'running'), interval(9_999_000, 'held')], 240],
  ])('shows no longer a time than is known', (intervals, minutes) => {
    expect(windowOf([{ unit: 0, intervals }], 10_000_000).span).toBe(minutes * 60_000);
  });

  it('cuts to the window, and tells short stops from long ones by their whole length', () => {
    const found = stretches(day, 420, 1000, MINOR);
    expect(found.map(({ from, to, look, began }) => [from, to, look, began])).toEqual([
      [420, 440, 'short', 400], [440, 600, 'running', 440], [600, 700, 'stopped', 600], [700, 800, 'suspended', 700], [800, 1000, 'planned', 800],
    ]);
    expect(found.map((s) => s.open)).toEqual([false, false, false, false, true]);
  });

  it('does not call a stop short once it has lasted longer', () => {
    const open = [interval(0, 'stopped')];
    expect([stretches(open, 0, 49, MINOR)[0].look, stretches(open, 0, 51, MINOR)[0].look]).toEqual(['short', 'stopped']);
  });

  it.each([[[], [[0, 1000]]], [[interval(300, 'running')], [[0, 300], [300, 1000]]]] as const)(
    'knows nothing before the first of %j', (intervals, spans) => {
      const found = stretches(intervals, 0, 1000, MINOR);
      expect(found.map((s) => [s.from, s.to])).toEqual(spans);
      expect([found[0].look, found[0].state]).toEqual(['unknown', null]);
    });

  it('makes rectangles that touch and fill the width', () => {
    const found = rects(stretches(day, 0, 1000, MINOR), 0, 1000, 500);
    expect(found.map((r) => [r.x, r.width, r.look])).toEqual([
      [0, 200, 'running'], [200, 20, 'short'], [220, 80, 'running'], [300, 50, 'stopped'], [350, 50, 'suspended'], [400, 100, 'planned'],
    ]);
  });

  it('never loses a stop that is shorter than a pixel', () => {
    const flicker = [interval(0, 'running'), interval(500, 'stopped'), interval(501, 'running')];
    const found = rects(stretches(flicker, 0, 100_000, MINOR), 0, 100_000, 1000);
    expect(found).toEqual([{ x: 0, width: 5, look: 'running' }, { x: 5, width: 1, look: 'short' }, { x: 6, width: 994, look: 'running' }]);
  });

  it('finds the stretch at an instant', () => {
    const found = stretches(day, 0, 1000, MINOR);
    expect([0, 399, 400, 650, 999].map((at) => found[stretchAt(found, at)].from)).toEqual([0, 0, 400, 600, 800]);
    expect(stretchAt([], 5)).toBe(-1);
  });
});

describe('sparkline', () => {
  it('draws gaps as gaps and a lonely value as a dot', () => {
    expect(sparkPath([1, 2, null, 4, null, 0], 50, 10, 4)).toBe('M0 7.5L10 5M30 0h0.01M50 10h0.01');
    expect([sparkPath([1], 50, 10, 4), sparkPath([null, null], 50, 10, 4)]).toEqual(['', '']);
  });
});

describe('output', () => {
  const view = { points: [{ atMs: 60_000, total: 100 }, { atMs: 120_000, total: null }, { atMs: 900_000, total: 300 }, { atMs: 9e9, total: 1 }], from: 0, to: 3_600_000, counted: { from: 0, at: 0, total: 0 }, targetRate: 10 };

  it('spans the shift, keeps unknown points empty and does not join over a hole', () => {
    const [x, made, wanted] = columnsOf(view);
    expect(x).toEqual([0, 60, 120, 510, 900, 3600]);
    expect(made).toEqual([null, 100, null, null, 300, null]);
    expect(wanted.at(-1)).toBe(600);
  });

  it.each([
    [[], { from: 0, at: 0, total: 0 }],
    [[{ atMs: 120_000, total: 5 }], { from: 0, at: 0, total: 0 }],
    [[{ atMs: 120_000, total: null }, { atMs: 5_400_000, total: 5 }], { from: 5_340_000, at: 5_400_000, total: 5 }],
  ])('asks no target for a time in which nobody counted', (points, counted) => {
    expect(countedOf(points, 0)).toEqual(counted);
    const [x, , wanted] = columnsOf({ ...view, points, to: 9e6, counted });
    expect([x[0] * 1000, wanted[0]]).toEqual([counted.at, counted.total]);
    expect(target({ counted, targetRate: 10 }, counted.at + 60_000)).toBe(counted.total + 10);
  });

  it('has no target where none is configured, and room for what was made', () => {
    expect(target({ counted: view.counted, targetRate: null }, 60_000)).toBeNull();
    expect(topOf({ ...view, points: [{ atMs: 1, total: 5000 }] })).toBeCloseTo(5200);
    expect(topOf({ ...view, points: [], targetRate: null })).toBeGreaterThan(0);
  });
});
