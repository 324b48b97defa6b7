// Two shifts on one clock: offsets from the instants that belong together. Plain arithmetic; unknown stays unknown.

import type { Side } from '../../charts/offsets';
import { type Stretch, stretches } from '../../charts/strip';
import type { PlantInfo, ShiftView, StripView } from '../../generated/api';

/** The start of the shift; of a stretch outside the calendar, the start of the recording. */
export function startOf(shift: ShiftView | null, from: number): number {
  return shift === null || !shift.scheduled ? from : shift.startMs;
}

/** The offsets, ms, between which at least one of the two has something. */
export function rangeOf(sides: readonly Side[]): { from: number; to: number } {
  return { from: Math.min(...sides.map((s) => s.from - s.zero)), to: Math.max(...sides.map((s) => s.to - s.zero)) };
}

/** The instant at this offset; null: nothing is recorded there. */
export function instantAt(side: Side, offset: number): number | null {
  const at = side.zero + offset;
  return at < side.from || at > side.to ? null : at;
}

/** A unit that one of the two has, by name: numbers are given anew with each configuration. */
export interface Common {
  readonly name: string;
  readonly a: number | null;
  readonly b: number | null;
}

/** Units of both, in the order of A, then what only B has. */
export function commonUnits(a: PlantInfo | null, b: PlantInfo | null): Common[] {
  const of = (plant: PlantInfo | null) => new Map((plant?.units ?? []).filter((unit) => unit.hasState).map((unit) => [unit.name, unit.id]));
  const [inA, inB] = [of(a), of(b)];
  return [...new Set([...inA.keys(), ...inB.keys()])].map((name) => ({ name, a: inA.get(name) ?? null, b: inB.get(name) ?? null }));
}

/** The states of one unit, on the common clock. */
export function laneOf(strips: readonly StripView[], unit: number | null, side: Side, minorStopMs: number): Stretch[] {
  const intervals = strips.find((strip) => strip.unit === unit)?.intervals ?? [];
  return stretches(intervals, side.from, side.to, minorStopMs).map((stretch) => ({
    ...stretch, from: stretch.from - side.zero, to: stretch.to - side.zero, began: stretch.began - side.zero,
  }));
}
