// A made-up shift from its beginning to its end, as a function of time: what a recording of it holds at any instant.

import type {
  CounterView, FrameTail, GapSpanView, IntervalKind, IntervalView, Notice, OutputPointView, ShiftView, StripView, TagInfo, UnitView,
} from '../../generated/api';
import type { FakeValue } from './encode';
import { fakeValue, linksOf, SHIFT_START } from './plant';

const MIN = 60_000;
const HOUR = 60 * MIN;
const LENGTH = 8 * HOUR;
const CONSTRAINT = 1;
const UNITS = [0, 1, 2, 3, 4];
/** Products per minute while a unit runs. */
const RATE = 600;

/** What interrupted the line: minutes after the beginning, how many, what. */
const EVENTS: readonly [minute: number, minutes: number, kind: IntervalKind, state: string][] = [
  [44, 1.6, 'stopped', 'Aborted'], [72, 0.8, 'held', 'Held'], [98, 5.8, 'stopped', 'Aborted'], [131, 9, 'changeover', 'Stopped'],
  [176, 1.1, 'stopped', 'Stopped'], [193, 0.7, 'held', 'Held'], [206, 10, 'unknown', 'Unknown'], [238, 7, 'stopped', 'Aborted'],
  [251.87, 4.2, 'stopped', 'Aborted'], [300, 12, 'stopped', 'Aborted'], [331, 0.5, 'held', 'Held'], [391, 20, 'maintenance', 'Stopped'],
  [441, 2.5, 'stopped', 'Aborted'], [466, 0.6, 'held', 'Held'],
];

export class Story {
  readonly to: number;
  private readonly all: StripView[];
  readonly notices: Notice[];
  readonly gaps: GapSpanView[];

  constructor(
    readonly from: number,
    private readonly tags: readonly TagInfo[],
    private readonly name = 'Early',
  ) {
    this.to = from + LENGTH;
    this.all = UNITS.map((unit) => ({ unit, intervals: intervalsOf(from, unit) }));
    this.gaps = [
      { fromMs: from + 206 * MIN, toMs: from + 216 * MIN, connection: 0, tag: null, kind: 'gapLinkDown' },
      { fromMs: from + 219 * MIN, toMs: from + 219 * MIN + 1_500, connection: null, tag: 44, kind: 'gapServerOverflow' },
      { fromMs: from + 355 * MIN, toMs: from + 356.5 * MIN, connection: 0, tag: null, kind: 'gapSilent' },
    ];
    this.notices = noticesOf(from, this.gaps);
  }

  get shift(): ShiftView {
    return { name: this.name, startMs: this.from, endMs: this.to, crew: 'B', scheduled: true };
  }

  strips(at: number): StripView[] {
    return this.all.map(({ unit, intervals }) => ({ unit, intervals: intervals.filter(({ startMs }) => startMs <= at) }));
  }

  /** The instants at which something of the kind began. */
  starts(unit: number, kinds: readonly IntervalKind[]): number[] {
    return this.all[unit].intervals.filter(({ kind }) => kinds.includes(kind)).map(({ startMs }) => startMs);
  }

  /** What a tag shows; null: nothing that can be used. */
  value(tag: TagInfo, at: number): number | null {
    if (this.down(at)) return null;
    const station = Math.floor(tag.id / 40);
    if (station === 0 && tag.id % 8 === 1) return this.rate(Math.floor(tag.id / 8), at);
    return fakeValue(tag, at, 'good').value;
  }

  values(ids: readonly number[], at: number): FakeValue[] {
    const lost = this.down(at);
    return ids.map((id) => {
      const tag = this.tags[id];
      const base = fakeValue(tag, at, 'good');
      if (lost) return { ...base, trust: 'linkDown', sourceTime: this.gaps[0].fromMs - 300, received: this.gaps[0].fromMs - 200 };
      const unit = Math.floor(id / 8);
      if (id < 40 && id % 8 === 0) return { ...base, value: this.interval(unit, at).kind === 'running' ? 6 : 9, kind: 'signed' };
      return { ...base, value: id < 40 && id % 8 === 1 ? this.rate(unit, at) : base.value };
    });
  }

  tail(at: number): Partial<Omit<FrameTail, 'texts'>> {
    const links = linksOf('good').map((link) => (this.down(at)
      ? { ...link, state: 'down' as const, status: 0x80ae0000, detail: 'connection reset by peer', sinceMs: this.gaps[0].fromMs, subscription: 'none' as const }
      : { ...link, sinceMs: at > this.gaps[0].toMs ? this.gaps[0].toMs : this.from + 900 }));
    return {
      links, shift: this.shift, units: UNITS.map((unit) => this.unit(unit, at)), strips: this.strips(at), output: this.output(at),
      recorder: { state: 'recording', lagMs: 0, detail: '', file: 'line3-early.shift', sinceMs: this.from },
    };
  }

  noticesIn(after: number, until: number): Notice[] {
    return this.notices.filter(({ atMs }) => atMs > after && atMs <= until);
  }

  private down(at: number): boolean {
    return at >= this.gaps[0].fromMs && at < this.gaps[0].toMs;
  }

  private interval(unit: number, at: number): IntervalView {
    return this.all[unit].intervals.findLast(({ startMs }) => startMs <= at) ?? this.all[unit].intervals[0];
  }

  private rate(unit: number, at: number): number {
    const wave = Math.sin(at / 9_000 + unit) * 6 + Math.sin(at / 131_000) * 9;
    return this.interval(unit, at).kind === 'running' ? Math.round(RATE + wave - unit * 2) : 0;
  }

  private unit(id: number, at: number): UnitView {
    const { state, kind, startMs } = this.interval(id, at);
    const trust = kind === 'unknown' ? 'linkDown' : 'live';
    const counter = (total: number): CounterView => ({ total: Math.round(total), acrossGaps: at > this.gaps[0].toMs ? 5_900 : 0, resets: 0, rejected: 0, trust });
    const made = this.ran(id, at) * (RATE / MIN);
    return {
      id, state, unmapped: false, stateSinceMs: startMs, mode: kind === 'changeover' ? 'Changeover' : kind === 'maintenance' ? 'Maintenance' : 'Produce',
      stateTrust: trust, rate: this.rate(id, at), rateTrust: trust, good: counter(made + (4 - id) * 40), reject: counter(made * [0.002, 0.015, 0.005, 0.001, 0][id]),
      rates: Array.from({ length: 60 }, (_, i) => (this.down(at - (59 - i) * 10_000) || at - (59 - i) * 10_000 < this.from ? null : this.rate(id, at - (59 - i) * 10_000))),
    };
  }

  /** For how long a unit has run, ms. */
  private ran(unit: number, at: number): number {
    const { intervals } = this.all[unit];
    return intervals.reduce((sum, { startMs, kind }, index) => {
      const end = Math.min(at, intervals[index + 1]?.startMs ?? this.to);
      return kind === 'running' || kind === 'unknown' ? sum + Math.max(0, end - startMs) : sum;
    }, 0);
  }

  private output(at: number): OutputPointView[] {
    const points: OutputPointView[] = [];
    for (let minute = this.from; minute <= at; minute += MIN) {
      points.push({ atMs: minute, total: this.down(minute) ? null : Math.round(this.ran(4, minute) * (RATE / MIN)) });
    }
    return points;
  }
}

/** The two newest early shifts have the whole story; in others some of it did not happen, so that shifts differ. */
function eventsOf(from: number): typeof EVENTS {
  const before = Math.round((SHIFT_START - from) / LENGTH);
  return before === 0 || before === 3 ? EVENTS : EVENTS.filter(([, , kind], index) => kind === 'unknown' || (index * 7 + before * 3) % 4 !== 0);
}

/** Other units wait for the constraint, with a lag that grows along the line. */
function intervalsOf(from: number, unit: number): IntervalView[] {
  const found: IntervalView[] = [{ startMs: from, kind: 'running', state: 'Execute' }];
  const lag = Math.abs(unit - CONSTRAINT) * 14_000;
  for (const [minute, minutes, kind, state] of eventsOf(from)) {
    const waits = unit !== CONSTRAINT && (kind === 'stopped' || kind === 'held');
    const start = from + minute * MIN + (kind === 'unknown' ? 0 : lag);
    const end = from + (minute + minutes) * MIN + (kind === 'unknown' ? 0 : lag / 2);
    if (end - start < 5_000) continue;
    found.push({ startMs: start, kind: waits ? 'suspended' : kind, state: waits ? 'Suspended' : state });
    found.push({ startMs: end, kind: 'running', state: 'Execute' });
  }
  return found;
}

function noticesOf(from: number, gaps: readonly GapSpanView[]): Notice[] {
  const base = { connection: 0, tag: null, fromMs: null, toMs: null, lost: null, status: 0, detail: '' };
  const list: Omit<Notice, 'seq'>[] = [
    { ...base, atMs: from + 20, kind: 'started', connection: null },
    { ...base, atMs: from + 900, kind: 'linkUp' },
    { ...base, atMs: from + 40, kind: 'shiftStarted', connection: null, detail: 'Early' },
    { ...base, atMs: gaps[0].fromMs, kind: 'linkDown', status: 0x80ae0000, detail: 'connection reset by peer' },
    { ...base, atMs: gaps[0].toMs, kind: 'linkUp' },
    { ...base, atMs: gaps[2].fromMs + 12_000, kind: 'subscriptionLate' },
    { ...base, atMs: gaps[2].toMs, kind: 'subscriptionLive' },
    { ...base, atMs: from + 420 * MIN, kind: 'clockSkewed', detail: '2.4' },
    { ...base, atMs: from + 424 * MIN, kind: 'clockAgrees' },
    ...gaps.map((gap) => ({ ...base, atMs: gap.toMs + 40, kind: gap.kind, tag: gap.tag, fromMs: gap.fromMs, toMs: gap.toMs, lost: gap.tag === null ? null : 12 })),
    ...Array.from({ length: 7 }, (_, i) => ({ ...base, atMs: from + 219 * MIN + i * 21_000, kind: 'gapServerOverflow' as const, tag: 44 + i, lost: 3 + i, fromMs: from + 219 * MIN + i * 21_000 - 900, toMs: from + 219 * MIN + i * 21_000 })),
  ];
  return list.sort((a, b) => a.atMs - b.atMs).map((notice, index) => ({ ...notice, seq: index + 1 }));
}
