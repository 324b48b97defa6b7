// The stretch of time that the time bar shows: zoom about a point, pan, and where its ticks are. Instants in ms.

import type { PlantTime } from '../kit/plant-time';

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A second over the whole width: below that nothing more is seen. */
export const SHORTEST_MS = 1_000;
/** Least distance between two labels, px. */
const LABEL_PX = 76;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Distances of ticks; all of them divide the quarter of an hour or are multiples of it. */
const STEPS = [
  100, 200, 500, SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 2.5 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR,
  2 * HOUR, 4 * HOUR, 6 * HOUR, 12 * HOUR,
];

export function lengthOf({ from, to }: Span): number {
  return to - from;
}

export function xOf(at: number, span: Span, width: number): number {
  return ((at - span.from) / lengthOf(span)) * width;
}

export function timeAt(x: number, span: Span, width: number): number {
  return span.from + (x / width) * lengthOf(span);
}

export function contains({ from, to }: Span, at: number): boolean {
  return at >= from && at <= to;
}

/** `factor` below 1 shows less time. What lies under `at` stays there, as far as the whole allows. */
export function zoomed(span: Span, whole: Span, at: number, factor: number): Span {
  const before = lengthOf(span);
  const length = Math.min(lengthOf(whole), Math.max(SHORTEST_MS, before * factor));
  const share = (at - span.from) / before;
  return placed(at - share * length, length, whole);
}

export function panned(span: Span, whole: Span, byMs: number): Span {
  return placed(span.from + byMs, lengthOf(span), whole);
}

/** The same length with `at` in it: unchanged where it is in view, else with `at` at this share of the width. */
export function revealing(span: Span, whole: Span, at: number, share = 0.5): Span {
  return contains(span, at) ? span : placed(at - share * lengthOf(span), lengthOf(span), whole);
}

function placed(from: number, wanted: number, whole: Span): Span {
  const length = Math.min(wanted, lengthOf(whole));
  const start = Math.min(Math.max(from, whole.from), whole.to - length);
  return { from: start, to: start + length };
}

const GROWING = [15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR];

/** A length that holds a growing recording and stays for a while, so that what is drawn does not creep. */
export function roomFor(length: number): number {
  return GROWING.find((room) => length <= room) ?? Math.ceil(length / (12 * HOUR)) * 12 * HOUR;
}

export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** Ticks at round times of the plant's wall clock, as many as there is room for. */
export function ticksOf(span: Span, width: number, time: PlantTime): Tick[] {
  const step = STEPS.find((one) => (one / lengthOf(span)) * width >= LABEL_PX) ?? 24 * HOUR;
  const label = (at: number) => (step < SECOND ? time.millis(at).slice(0, -2) : step < MINUTE || step % MINUTE !== 0 ? time.seconds(at) : time.minutes(at));
  const found = step < 15 * MINUTE ? multiples(span, step) : time.ticks(span.from, span.to, step / MINUTE);
  return found.map((at) => ({ at, text: label(at) }));
}

/** Zones are whole quarters of an hour away from UTC, so that shorter steps are round in all of them. */
function multiples({ from, to }: Span, step: number): number[] {
  const found: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push(at);
  return found;
}
