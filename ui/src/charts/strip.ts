// Geometry of a state strip: intervals of time become rectangles of at least one pixel.

import type { IntervalKind, IntervalView, StripView } from '../generated/api';

/** How a stretch is drawn. `short`: a stop shorter than the configured short stop. */
export type Look = 'running' | 'stopped' | 'short' | 'suspended' | 'planned' | 'unknown';

export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** The last one goes on beyond the window's end. */
  readonly open: boolean;
  readonly look: Look;
  readonly kind: IntervalKind;
  /** PackML name; null where nothing is recorded. */
  readonly state: string | null;
  /** When it really began, which may be before the window. */
  readonly began: number;
}

export interface Rect {
  readonly x: number;
  readonly width: number;
  readonly look: Look;
}

/** Lengths of time that a strip may show, and how far apart its ticks then are. */
const WINDOWS = [
  { span: 15 * 60_000, tickMin: 5 },
  { span: 30 * 60_000, tickMin: 5 },
  { span: 3_600_000, tickMin: 15 },
  { span: 2 * 3_600_000, tickMin: 15 },
  { span: 4 * 3_600_000, tickMin: 30 },
] as const;

/** The shortest window that holds all that is known: a first quarter of an hour is not lost in four. */
export function windowOf(strips: readonly StripView[], now: number): (typeof WINDOWS)[number] {
  const known = strips.flatMap(({ intervals }) => intervals.filter(({ kind }) => kind !== 'unknown').slice(0, 1));
  const first = Math.min(now, ...known.map(({ startMs }) => startMs));
  return WINDOWS.find(({ span }) => now - first <= span) ?? WINDOWS[WINDOWS.length - 1];
}

/** Cuts intervals to the window [from, to]. What lies before the first interval is unknown. */
export function stretches(intervals: readonly IntervalView[], from: number, to: number, minorStopMs: number): Stretch[] {
  const found: Stretch[] = [];
  const first = intervals.length > 0 ? Math.min(intervals[0].startMs, to) : to;
  if (first > from) found.push({ from, to: first, open: false, look: 'unknown', kind: 'unknown', state: null, began: from });
  intervals.forEach((interval, index) => {
    const open = index === intervals.length - 1;
    const end = open ? to : intervals[index + 1].startMs;
    if (end <= from || interval.startMs >= to || end <= interval.startMs) return;
    found.push({
      from: Math.max(from, interval.startMs),
      to: Math.min(to, end),
      open,
      look: lookOf(interval.kind, end - interval.startMs < minorStopMs),
      kind: interval.kind,
      state: interval.state,
      began: interval.startMs,
    });
  });
  return found;
}

/**
 * Rectangles for a strip `width` pixels wide. Several stretches within one pixel become one, drawn as the
 * gravest of them: a stop is never lost in the drawing.
 */
export function rects(all: readonly Stretch[], from: number, to: number, width: number): Rect[] {
  const scale = width / (to - from);
  const pixels = new Uint8Array(width);
  for (const { from: start, to: end, look } of all) {
    const first = Math.min(Math.round((start - from) * scale), width - 1);
    const beyond = Math.max(Math.round((end - from) * scale), first + 1);
    const gravity = LOOKS.indexOf(look) + 1;
    for (let x = first; x < beyond; x++) pixels[x] = Math.max(pixels[x], gravity);
  }
  return runs(pixels);
}

function runs(pixels: Uint8Array): Rect[] {
  const found: Rect[] = [];
  let x = 0;
  for (let next = 1; next <= pixels.length; next++) {
    if (next < pixels.length && pixels[next] === pixels[x]) continue;
    if (pixels[x] > 0) found.push({ x, width: next - x, look: LOOKS[pixels[x] - 1] });
    x = next;
  }
  return found;
}

/** The stretch at this instant: binary search, the stretches have no holes. */
export function stretchAt(all: readonly Stretch[], at: number): number {
  let low = 0;
  let high = all.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (all[middle].from <= at) low = middle;
    else high = middle - 1;
  }
  return all.length === 0 ? -1 : low;
}

/** From harmless to grave: in one pixel the graver is drawn. */
const LOOKS: readonly Look[] = ['running', 'planned', 'suspended', 'unknown', 'short', 'stopped'];

function lookOf(kind: IntervalKind, short: boolean): Look {
  switch (kind) {
    case 'stopped':
    case 'held':
      return short ? 'short' : 'stopped';
    case 'changeover':
    case 'maintenance':
      return 'planned';
    default:
      return kind;
  }
}
