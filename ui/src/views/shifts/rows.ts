// One recording as a row of the list: words, order and what a search finds. Knows no screen.

import type { ShiftInfo, ShiftState } from '../../generated/api';
import { formatBytes, formatDuration, formatNumber } from '../../kit/format';
import { PlantTime } from '../../kit/plant-time';
import { t } from '../../messages';
import type { Weight } from '../../session/conditions';
import { matches, wordsOf } from '../../session/tag-filter';

export const SORTS = ['date', 'shift', 'duration', 'stops', 'gaps', 'marks', 'size', 'state', 'kept'] as const;
export type Sort = (typeof SORTS)[number];

export interface Order {
  readonly by: Sort;
  readonly down: boolean;
}

export interface Row {
  readonly info: ShiftInfo;
  /** `Early`; a stretch outside the calendar is named as such. */
  readonly shift: string;
  /** Crew and line. */
  readonly who: string;
  /** `06:00–14:00`, in the time of the plant that it was recorded in. */
  readonly span: string;
  /** Zone where it is not the one of this plant; otherwise empty. */
  readonly zone: string;
  readonly duration: string;
  readonly size: string;
  readonly stops: string;
  readonly gaps: string;
  readonly marks: string;
  readonly state: string;
  readonly weight: Weight | 'calm' | null;
}

/** `zone`: of this plant; null: there is none configured. */
export function rowOf(info: ShiftInfo, zone: string | null): Row {
  const time = timeOf(info.timeZone);
  const count = (n: number | null) => (n === null ? '–' : formatNumber(n));
  return {
    info,
    shift: info.scheduled ? info.shift : t('shifts.unscheduled'),
    who: [info.crew === null ? '' : t('shift.crew', { crew: info.crew }), info.line].filter((s) => s !== '').join(' · '),
    span: `${time.minutes(info.fromMs)}–${time.minutes(info.toMs)}`,
    zone: info.timeZone === zone ? '' : time.abbreviation(info.fromMs),
    duration: lengthText(info.toMs - info.fromMs),
    size: formatBytes(info.bytes),
    stops: count(info.stops),
    gaps: count(info.gaps),
    marks: count(info.marks),
    state: t(`shifts.state.${info.state}`),
    weight: WEIGHTS[info.state],
  };
}

/** Null: nothing to look at. */
const WEIGHTS: Record<ShiftState, Weight | 'calm' | null> = { recording: null, complete: null, interrupted: 'notice', damaged: 'warning' };

/** A shift that lacks its first milliseconds is 8 hours long all the same. */
export function lengthText(ms: number): string {
  return formatDuration(Math.ceil(ms / 1000) * 1000);
}

/** What is searched in: everything that a person may remember of a shift. */
export function foundBy(search: string, row: Row): boolean {
  const { info } = row;
  const hay = [info.date, row.shift, row.who, row.span, row.state, info.file, info.clip ?? '', info.pinned ? t('shifts.kept') : '']
    .join('\n').toLowerCase();
  return matches(hay, wordsOf(search));
}

/** The running shift comes first, whatever the order; what is not known comes last. */
export function sorted(rows: readonly Row[], { by, down }: Order): Row[] {
  const running = (row: Row) => (row.info.state === 'recording' ? 0 : 1);
  return rows.toSorted((a, b) => running(a) - running(b) || compared(keyOf(a, by), keyOf(b, by), down) || b.info.fromMs - a.info.fromMs);
}

function compared(a: string | number | null, b: string | number | null, down: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const order = typeof a === 'string' ? a.localeCompare(String(b)) : a - Number(b);
  return down ? -order : order;
}

const GRAVITY: Record<ShiftState, number> = { recording: 0, complete: 1, interrupted: 2, damaged: 3 };

function keyOf({ info, shift, who }: Row, by: Sort): string | number | null {
  switch (by) {
    case 'date':
      return info.fromMs;
    case 'shift':
      return `${shift} ${who}`;
    case 'duration':
      return info.toMs - info.fromMs;
    case 'size':
      return info.bytes;
    case 'state':
      return GRAVITY[info.state];
    case 'kept':
      return info.pinned ? 1 : 0;
    default:
      return info[by];
  }
}

/** Sorted by a column for the first time: the most or the newest is on top; names begin with A. */
export function turned(order: Order, by: Sort): Order {
  return order.by === by ? { by, down: !order.down } : { by, down: by !== 'shift' };
}

const zones = new Map<string, PlantTime>();

/** The clock of a plant. */
export function timeOf(zone: string): PlantTime {
  let time = zones.get(zone);
  if (time === undefined) zones.set(zone, (time = new PlantTime(zone)));
  return time;
}

/** `2026-11-21 Early · crew B · Line 3`: names a recording in one line. */
export function nameOf(info: ShiftInfo): string {
  const { shift, who } = rowOf(info, info.timeZone);
  return `${info.date} ${shift}${who === '' ? '' : ` · ${who}`}`;
}
