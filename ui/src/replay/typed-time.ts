// A time as somebody types it, in plant time: `10:12`, `10:12:36`, `10:12:36.4`, with a date before it where wanted.

import type { PlantTime } from '../kit/plant-time';
import type { Span } from './span';

export type Typed = { readonly at: number } | { readonly problem: 'form' | 'date' | 'time' | 'noSuchTime' | 'outside' };

const FORM = /^(?:(?<date>\S+)\s+)?(?<hour>\d{1,2})[:.h](?<minute>\d{2})(?::(?<second>\d{2})(?:[.,](?<part>\d{1,3}))?)?$/;
const ISO = /^(\d{4})-(\d{2})-(\d{2})$/;
/** Day first, as German plants write it; the year may be left out. */
const DOTTED = /^(\d{1,2})\.(\d{1,2})\.(\d{4})?$/;
const DAY = 86_400_000;

/**
 * The instant that is meant. Without a date it is the one within the recording, and of several the nearest to `position`.
 */
export function typedTime(text: string, time: PlantTime, whole: Span, position: number): Typed {
  const found = FORM.exec(text.trim())?.groups;
  if (found === undefined) return { problem: 'form' };
  const [hour, minute, second] = [found['hour'], found['minute'], found['second'] ?? '0'].map(Number);
  if (hour > 23 || minute > 59 || second > 59) return { problem: 'time' };
  const part = Number((found['part'] ?? '').padEnd(3, '0'));
  const ofDay = ((hour * 60 + minute) * 60 + second) * 1000 + part;
  const dates = found['date'] === undefined ? datesOf(whole, time) : dateOf(found['date'], time.date(position));
  if (dates === null) return { problem: 'date' };
  const instants = dates.flatMap((date) => time.instants(date, ofDay));
  if (instants.length === 0) return { problem: 'noSuchTime' };
  const inside = instants.filter((at) => at >= whole.from && at <= whole.to);
  // Whoever types 06:00 means the beginning, also of a recording that began some milliseconds later.
  const near = inside.length > 0 ? inside : instants.filter((at) => at > whole.from - 60_000 && at < whole.to + 60_000);
  if (near.length === 0) return { problem: 'outside' };
  const at = near.sort((a, b) => Math.abs(a - position) - Math.abs(b - position))[0];
  return { at: Math.min(whole.to, Math.max(whole.from, at)) };
}

function datesOf({ from, to }: Span, time: PlantTime): string[] {
  const dates = new Set<string>();
  for (let at = from; at < to + DAY; at += DAY) dates.add(time.date(Math.min(at, to)));
  return [...dates];
}

/** Null: this is no date. */
function dateOf(text: string, today: string): string[] | null {
  const iso = ISO.exec(text);
  const dotted = DOTTED.exec(text);
  const [year, month, day] = iso !== null ? iso.slice(1) : dotted !== null ? [dotted[3] ?? today.slice(0, 4), dotted[2], dotted[1]] : [];
  if (year === undefined) return null;
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const parsed = Date.parse(`${date}T00:00:00Z`);
  // The 31st of February is read as the 3rd of March by some.
  return Number.isNaN(parsed) || new Date(parsed).toISOString().slice(0, 10) !== date ? null : [date];
}
