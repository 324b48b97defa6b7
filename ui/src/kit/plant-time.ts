// Times of day in one named zone, 24 hours, with the zone's abbreviation where asked for.

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

export class PlantTime {
  private readonly clock: Intl.DateTimeFormat;
  private readonly short: Intl.DateTimeFormat;
  private readonly day: Intl.DateTimeFormat;
  private readonly zoneName: Intl.DateTimeFormat;

  /** `zone`: IANA name. One that this browser does not know is shown as UTC, and says so. */
  constructor(readonly zone: string) {
    const timeZone = knownZone(zone);
    const base = { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    this.clock = new Intl.DateTimeFormat('en-GB', { ...base, second: '2-digit' });
    this.short = new Intl.DateTimeFormat('en-GB', base);
    this.day = new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    this.zoneName = new Intl.DateTimeFormat('en-GB', { timeZone, timeZoneName: 'short' });
  }

  /** `10:12:36` */
  seconds(ms: number): string {
    return this.clock.format(ms);
  }

  /** `10:12:36.400` */
  millis(ms: number): string {
    return `${this.seconds(ms)}.${String(Math.floor(ms) - Math.floor(ms / 1000) * 1000).padStart(3, '0')}`;
  }

  /** `10:12` */
  minutes(ms: number): string {
    return this.short.format(ms);
  }

  /** `2026-11-21` */
  date(ms: number): string {
    return this.day.format(ms);
  }

  /** `10:12:36`, with the date before it where that is not the day of `now`. */
  near(ms: number, now: number): string {
    const time = this.seconds(ms);
    return Math.abs(ms - now) < DAY && this.date(ms) === this.date(now) ? time : `${this.date(ms)} ${time}`;
  }

  /** `CET` */
  abbreviation(ms: number): string {
    return this.zoneName.formatToParts(ms).find((part) => part.type === 'timeZoneName')?.value ?? this.zone;
  }

  /** The instants at which the local wall shows this: none in an hour that is left out, two in one that is repeated. */
  instants(date: string, timeOfDayMs: number): number[] {
    const [year, month, day] = date.split('-').map(Number);
    const wall = Date.UTC(year, month - 1, day) + timeOfDayMs;
    // The wall clock is ahead of UTC by what it is a day before or after: there is one change of clocks at most.
    const ahead = [wall - DAY, wall + DAY].map((at) => this.wall(at) - at);
    return [...new Set(ahead.map((by) => wall - by))].filter((at) => this.wall(at) === wall).sort((a, b) => a - b);
  }

  /** What the local wall shows, as if it were UTC. */
  private wall(ms: number): number {
    const whole = Math.floor(ms / 1000) * 1000;
    return Date.parse(`${this.date(ms)}T${this.seconds(ms)}Z`) + (ms - whole);
  }

  /** Every instant in [from, to] at which the local wall shows a multiple of `everyMin` minutes past midnight. */
  ticks(from: number, to: number, everyMin: number): number[] {
    // All zones are whole quarters of an hour away from UTC.
    const step = Math.min(everyMin, 15) * MINUTE;
    const ticks: number[] = [];
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
      const [hour, minute] = this.minutes(at).split(':').map(Number);
      if ((hour * 60 + minute) % everyMin === 0) ticks.push(at);
    }
    return ticks;
  }
}

function knownZone(zone: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return 'UTC';
  }
}
