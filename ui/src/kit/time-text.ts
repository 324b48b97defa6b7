// An instant as it stands in a field to be typed over.

import type { PlantTime } from './plant-time';

/** `10:12:36`, with milliseconds where there are any, and with the date where the stretch has more than one. */
export function timeText(at: number, time: PlantTime, from: number, to: number): string {
  const ms = ((at % 1000) + 1000) % 1000;
  const clock = ms === 0 ? time.seconds(at) : `${time.seconds(at)}.${String(Math.floor(ms)).padStart(3, '0')}`;
  return time.date(from) === time.date(to) ? clock : `${time.date(at)} ${clock}`;
}
