// Two recordings on one clock: offsets from the instants that belong together, as columns, ticks and words.

import type { OutputPointView } from '../generated/api';
import { JOIN_MAX_MS } from './output';

/** A recording's part of the common clock. */
export interface Side {
  /** What is recorded, ms. */
  readonly from: number;
  readonly to: number;
  /** The instant that is offset 0. */
  readonly zero: number;
}

/** uPlot's columns: offsets in seconds, output of A, output of B. */
export type PairColumns = [number[], (number | null | undefined)[], (number | null | undefined)[]];

/** `undefined`: the other one has a point here; `null`: nobody counted. uPlot joins across the first, not across the second. */
export function pairColumns(a: readonly OutputPointView[], b: readonly OutputPointView[], sides: { a: Side; b: Side }): PairColumns {
  const rows = new Map<number, [number | null | undefined, number | null | undefined]>();
  const add = (points: readonly OutputPointView[], side: Side, at: 0 | 1) => {
    let last: number | null = null;
    const put = (ms: number, total: number | null) => {
      const offset = (ms - side.zero) / 1000;
      const row = rows.get(offset) ?? [undefined, undefined];
      row[at] = total;
      rows.set(offset, row);
    };
    for (const { atMs, total } of points) {
      if (atMs < side.from || atMs > side.to) continue;
      if (last !== null && atMs - last > JOIN_MAX_MS) put((last + atMs) / 2, null);
      put(atMs, total);
      last = atMs;
    }
  };
  add(a, sides.a, 0);
  add(b, sides.b, 1);
  const order = [...rows.keys()].sort((x, y) => x - y);
  return [order, order.map((x) => rows.get(x)?.[0]), order.map((x) => rows.get(x)?.[1])];
}

/** `+1:04:30` after, `−0:12:00` before the instants that belong together. */
export function offsetText(offset: number): string {
  const seconds = Math.round(Math.abs(offset) / 1000);
  const two = (n: number) => String(n).padStart(2, '0');
  const sign = seconds === 0 ? '' : offset < 0 ? '\u2212' : '+';
  return `${sign}${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

const TICKS_S = [60, 300, 900, 1800, 3600, 7200, 14_400] as const;

/** Round offsets, ms, for at most `most` ticks. */
export function offsetTicks(from: number, to: number, most: number): number[] {
  const step = (TICKS_S.find((s) => (to - from) / 1000 / s <= most) ?? 14_400) * 1000;
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.max(0, Math.floor(to / step) - first + 1) }, (_, i) => (first + i) * step);
}
