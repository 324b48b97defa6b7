// What the time bar draws, from the overview of a recording: which lanes there are, and where things lie in them. px and ms.

import type { GapSpanView, LaneView, MarkView, Notice, PlantInfo } from '../generated/api';
import { type Span, timeAt, xOf } from './span';
import { noticeWeight, type NoticeWeight } from './steps';

export type LaneKind = 'line' | 'unit' | 'gaps' | 'events' | 'marks' | 'tag';

export interface Lane {
  readonly kind: LaneKind;
  /** Unit whose states it shows; null where it shows none. */
  readonly unit: number | null;
  readonly top: number;
  readonly height: number;
}

const HEIGHT: Record<LaneKind, number> = { line: 18, unit: 11, gaps: 12, events: 22, marks: 18, tag: 34 };
const BETWEEN = 4;

/** Lanes from above: states, gaps, notices, bookmarks, and one tag where one is chosen. */
export function lanesOf(plant: PlantInfo | null, unfolded: boolean, tag: boolean): Lane[] {
  const states = plant?.units.filter(({ hasState }) => hasState) ?? [];
  const line = states.find(({ id }) => id === plant?.constraint);
  const wanted: [LaneKind, number | null][] = [
    ...(line === undefined ? [] : [['line', line.id] as [LaneKind, number]]),
    // Without a constraint the units are all there is to see.
    ...(unfolded || line === undefined ? states.map(({ id }): [LaneKind, number] => ['unit', id]) : []),
    ['gaps', null], ['events', null], ['marks', null], ...(tag ? [['tag', null] as [LaneKind, null]] : []),
  ];
  let top = 0;
  return wanted.map(([kind, unit]) => {
    const lane = { kind, unit, top, height: HEIGHT[kind] };
    top += lane.height + (kind === 'unit' ? 2 : BETWEEN);
    return lane;
  });
}

export function heightOf(lanes: readonly Lane[]): number {
  const last = lanes.at(-1);
  return last === undefined ? 0 : last.top + last.height;
}

/** The lane at a height, with half of the room between lanes. */
export function laneAt(lanes: readonly Lane[], y: number): Lane | undefined {
  return lanes.find(({ top, height }) => y >= top - BETWEEN / 2 && y < top + height + BETWEEN / 2);
}

export interface Column {
  readonly x: number;
  readonly width: number;
  readonly height: number;
  /** Of the gravest in it. */
  readonly weight: NoticeWeight;
  readonly count: number;
}

/** px of a column of the density. */
export const COLUMN_PX = 5;
const GRAVITY: readonly NoticeWeight[] = ['notice', 'warning', 'critical'];
/** A grave notice is never lower than a harmless one, however many of those there are: told apart without colour. */
const LEAST: Record<NoticeWeight, number> = { notice: 0.2, warning: 0.5, critical: 0.8 };
const MOST: Record<NoticeWeight, number> = { notice: 0.45, warning: 0.75, critical: 1 };

/** Density of notices: one column per few pixels, as high as its gravest notice and their number make it. */
export function density(notices: readonly Notice[], span: Span, width: number, height: number): Column[] {
  const columns = new Map<number, { weight: NoticeWeight; count: number }>();
  for (const { atMs, kind } of notices) {
    if (atMs < span.from || atMs > span.to) continue;
    const index = Math.min(Math.floor(xOf(atMs, span, width) / COLUMN_PX), Math.max(0, Math.ceil(width / COLUMN_PX) - 1));
    const before = columns.get(index);
    const weight = noticeWeight(kind);
    const graver = before === undefined || GRAVITY.indexOf(weight) > GRAVITY.indexOf(before.weight) ? weight : before.weight;
    columns.set(index, { weight: graver, count: (before?.count ?? 0) + 1 });
  }
  return [...columns].sort(([a], [b]) => a - b).map(([index, { weight, count }]) => {
    const share = LEAST[weight] + (MOST[weight] - LEAST[weight]) * (1 - 1 / count);
    return { x: index * COLUMN_PX, width: COLUMN_PX - 1, height: Math.round(share * height), weight, count };
  });
}

export interface GapRect {
  readonly x: number;
  readonly width: number;
  /** Of one tag only: drawn lower. */
  readonly partial: boolean;
}

/** Gaps as rectangles of at least two pixels; those of the whole plant or of a connection win over those of a tag. */
export function gapRects(gaps: readonly GapSpanView[], span: Span, width: number): GapRect[] {
  const found: GapRect[] = [];
  for (const { fromMs, toMs, tag } of [...gaps].sort((a, b) => a.fromMs - b.fromMs)) {
    if (toMs < span.from || fromMs > span.to) continue;
    const x = Math.max(0, Math.min(xOf(fromMs, span, width), width - 2));
    const beyond = Math.min(width, Math.max(xOf(toMs, span, width), x + 2));
    const last = found.at(-1);
    const partial = tag !== null;
    if (last?.partial === partial && x <= last.x + last.width) found[found.length - 1] = { ...last, width: Math.max(last.width, beyond - last.x) };
    else found.push({ x, width: beyond - x, partial });
  }
  return found;
}

export interface Flag {
  readonly mark: MarkView;
  readonly x: number;
  /** px for its text; 0: none. */
  readonly room: number;
  /** Bookmarks that lie under it. */
  readonly more: number;
}

/** Two bookmarks nearer than this are one flag. */
const FLAG_PX = 14;
/** How far beside a flag it still counts as pressed. */
const FINGER_PX = 6;
const TEXT_PX = 40;
const TEXT_MOST_PX = 220;

/** Flags of bookmarks, with as much of their text as there is room for before the next one. */
export function flagsOf(marks: readonly MarkView[], span: Span, width: number): Flag[] {
  const flags: { mark: MarkView; x: number; more: number }[] = [];
  for (const mark of marks) {
    if (mark.atMs < span.from || mark.atMs > span.to) continue;
    const x = xOf(mark.atMs, span, width);
    const last = flags.at(-1);
    if (last !== undefined && x - last.x < FLAG_PX) last.more++;
    else flags.push({ mark, x, more: 0 });
  }
  return flags.map((flag, index) => {
    const room = Math.min((flags[index + 1]?.x ?? width) - flag.x - FLAG_PX - 4, TEXT_MOST_PX);
    return { ...flag, room: room < TEXT_PX ? 0 : room };
  });
}

/** The bookmark whose flag or text is pressed; a finger may be as far off as it is wide. */
export function flagAt(flags: readonly Flag[], lanes: readonly Lane[], x: number, y: number): Flag | undefined {
  const lane = lanes.find(({ kind }) => kind === 'marks');
  if (lane === undefined || y < lane.top - FINGER_PX || y > lane.top + lane.height + FINGER_PX) return undefined;
  return flags.findLast((flag) => x >= flag.x - FINGER_PX && x <= flag.x + FLAG_PX + flag.room);
}

/** The notice nearest to an instant within some pixels. */
export function noticeNear(notices: readonly Notice[], x: number, span: Span, width: number, px = 5): { notice: Notice; more: number } | null {
  const [from, to] = [timeAt(x - px, span, width), timeAt(x + px, span, width)];
  const near = notices.filter(({ atMs }) => atMs >= from && atMs <= to);
  if (near.length === 0) return null;
  const gravest = near.reduce((a, b) => (GRAVITY.indexOf(noticeWeight(b.kind)) > GRAVITY.indexOf(noticeWeight(a.kind)) ? b : a));
  return { notice: gravest, more: near.length - 1 };
}

/** The gap at an instant, or within some pixels of it. */
export function gapNear(gaps: readonly GapSpanView[], x: number, span: Span, width: number, px = 3): GapSpanView | null {
  const [from, to] = [timeAt(x - px, span, width), timeAt(x + px, span, width)];
  return gaps.find(({ fromMs, toMs }) => fromMs <= to && toMs >= from) ?? null;
}

/** Least and greatest value of a lane; null: it has none. */
export function rangeOf(lane: LaneView): readonly [number, number] | null {
  const known = (values: readonly (number | null)[]) => values.filter((value) => value !== null);
  const [low, high] = [known(lane.min), known(lane.max)];
  if (low.length === 0 || high.length === 0) return null;
  return [low.reduce((a, b) => Math.min(a, b)), high.reduce((a, b) => Math.max(a, b))];
}

/** Runs of columns that have values: between them is a gap, and it stays one. */
export function runsOf(lane: LaneView): readonly (readonly [first: number, beyond: number])[] {
  const runs: [number, number][] = [];
  lane.min.forEach((value, column) => {
    if (value === null) return;
    const last = runs.at(-1);
    if (last?.[1] === column) last[1] = column + 1;
    else runs.push([column, column + 1]);
  });
  return runs;
}
