// The made-up plant itself: one bottling line at 2026-11-21 10:12:36 in Bremen, in several conditions.

import type {
  CounterView, FrameTail, IntervalKind, IntervalView, LinkView, Notice, PlantInfo, TagInfo, Trust, UnitInfo, UnitView,
} from '../../generated/api';
import type { FakeValue } from './encode';

export const SCENARIOS = [
  'good', 'real', 'stopped', 'linkdown', 'late', 'refused', 'unknown', 'empty', 'problems', 'silent', 'many', 'recorder', 'warned',
  'frozen', 'troubled', 'first', 'file',
] as const;
export type Scenario = (typeof SCENARIOS)[number];

export const START = Date.UTC(2026, 10, 21, 9, 12, 36);
const MIN = 60_000;
export const SHIFT_START = Date.UTC(2026, 10, 21, 5, 0, 0);
const SHIFT_END = Date.UTC(2026, 10, 21, 13, 0, 0);

const NAMES = ['Filler', 'Capper', 'Labeller', 'Packer', 'Palletizer'];
const IDEAL = [640, 640, 640, 640, 640];

export function fakePlant(scenario: Scenario): PlantInfo {
  const empty = scenario === 'empty';
  return {
    site: 'Bremen', area: 'Bottling', line: 'Line 3', timeZone: 'Europe/Berlin', product: 'bottles',
    targetRate: empty ? null : 600, minorStopMs: 5 * MIN, constraint: empty ? null : 1,
    connections: [
      { id: 0, name: 'line3', endpoint: 'opc.tcp://127.0.0.1:4855/' },
      ...(scenario === 'troubled' ? [{ id: 1, name: 'packer', endpoint: 'opc.tcp://packer-plc.bremen.local:4840/' }] : []),
    ],
    units: empty ? [] : NAMES.map(unitInfo),
    tagCount: fakeTags(scenario).length,
    configPath: 'plant.toml',
  };
}

function unitInfo(name: string, id: number): UnitInfo {
  return {
    id, name, idealRate: IDEAL[id], band: [570, 640], hasState: true, hasSpeed: true, hasGood: true, hasReject: true,
    stateTag: 8 * id, speedTag: 8 * id + 1, goodTag: 8 * id + 2, rejectTag: 8 * id + 3,
  };
}

/** Repeatable noise in [0, 1). */
function noise(seed: number): number {
  const x = Math.sin(seed * 127.1 + 311.7) * 43_758.5453;
  return x - Math.floor(x);
}

const SIGNALS: readonly [name: string, unit: string, description: string, low: number, high: number][] = [
  ['State', '', 'PackML state', 0, 17], ['Speed', '1/min', 'Actual speed', 0, 700], ['Good', '', 'Good bottles', 0, 200_000],
  ['Reject', '', 'Rejected bottles', 0, 5_000], ['MotorCurrent', 'A', 'Main drive current', 0, 32],
  ['BearingTemp', '°C', 'Bearing temperature, drive side', 0, 120], ['AirPressure', 'bar', 'Supply air pressure', 0, 10],
  ['GuardClosed', '', 'Guard door closed', 0, 1],
];

export function fakeTags(scenario: Scenario): TagInfo[] {
  if (scenario === 'empty') return [];
  const stations = scenario === 'many' ? 1250 : 30;
  const tags: TagInfo[] = [];
  for (let station = 0; station < stations; station++) {
    for (const unit of NAMES) {
      for (const [signal, measure, description, low, high] of SIGNALS) {
        const name = station === 0 ? `${unit}.${signal}` : `${unit}.Station${String(station).padStart(2, '0')}.${signal}`;
        tags.push({
          id: tags.length, name, description, connection: 0, node: `nsu=urn:lineside:plant;s=${name}`, unit: measure,
          range: measure === '' ? null : [low, high], maxAgeMs: signal === 'Speed' ? 10_000 : null,
          texts: signal === 'State' ? [{ value: 6, text: 'Execute' }, { value: 9, text: 'Aborted' }] : [],
        });
      }
    }
  }
  return tags;
}

export function fakeValue(tag: TagInfo, at: number, scenario: Scenario): FakeValue {
  const signal = tag.name.slice(tag.name.lastIndexOf('.') + 1);
  const [, , , low, high] = SIGNALS.find(([name]) => name === signal) ?? SIGNALS[1];
  const odd = tag.id % 97 === 5 ? oddity(tag, scenario) : {};
  const base = { id: tag.id, sourceTime: at - 240 - (tag.id % 7) * 90, serverTime: at - 200, received: at - 180 };
  if (scenario === 'linkdown') return { ...base, ...down(signal, tag), sourceTime: at - 52_000, received: at - 51_500 };
  if (signal === 'GuardClosed') return { ...base, value: 1, kind: 'boolean', ...odd };
  if (signal === 'State') return { ...base, value: 6, kind: 'signed', ...odd };
  const value = low + (high - low) * (0.62 + 0.05 * noise(tag.id + Math.floor(at / 1000)));
  if (signal === 'Good' || signal === 'Reject') return { ...base, value: Math.round(value), kind: 'unsigned', ...odd };
  return { ...base, value, kind: 'float', ...odd };
}

function down(signal: string, tag: TagInfo): Pick<FakeValue, 'value' | 'kind' | 'trust'> {
  const kind = signal === 'GuardClosed' ? 'boolean' : signal === 'State' ? 'signed' : 'float';
  return { value: kind === 'boolean' ? 1 : kind === 'signed' ? 6 : 40 + (tag.id % 90), kind, trust: 'linkDown' };
}

function oddity(tag: TagInfo, scenario: Scenario): Partial<FakeValue> {
  if (scenario === 'refused') return { trust: 'refused', status: 0x80340000, kind: 'empty', value: NaN };
  if (scenario === 'good' || scenario === 'real') return {};
  const kinds: Partial<FakeValue>[] = [
    { trust: 'bad', status: 0x808c0000, kind: 'empty', value: NaN },
    { trust: 'uncertain', status: 0x40940600 },
    { trust: 'late', sourceTime: START - 65_000, received: START - 64_900 },
    { trust: 'waiting', status: 0x80320000, kind: 'empty', value: NaN, sourceTime: NaN, received: NaN },
  ];
  return kinds[tag.id % kinds.length];
}

/** Everything at the first frame; afterwards what moves. */
export function tailOf(scenario: Scenario, at: number, first: boolean): Partial<Omit<FrameTail, 'texts'>> {
  const moving = { units: scenario === 'empty' ? [] : NAMES.map((_, id) => unitView(scenario, id, at)) };
  if (!first) return moving;
  return {
    ...moving,
    links: linksOf(scenario),
    recorder: recorderOf(scenario),
    shift: { name: 'Early', startMs: SHIFT_START, endMs: SHIFT_END, crew: 'B', scheduled: true },
    strips: NAMES.map((_, unit) => ({ unit, intervals: intervalsOf(scenario, unit) })),
    output: scenario === 'empty' || scenario === 'unknown' ? [] : outputOf(),
    notices: noticesOf(scenario),
    noticesDropped: 0,
  };
}

function recorderOf(scenario: Scenario): FrameTail['recorder'] {
  const failed = scenario === 'recorder';
  return {
    state: failed ? 'failed' : 'recording', lagMs: 0, detail: failed ? 'No space left on device.' : '',
    file: 'line3-2026-11-21-early.shift', sinceMs: failed ? START - 95_000 : SHIFT_START,
  };
}

export function linksOf(scenario: Scenario): LinkView[] {
  const first = linkView(scenario);
  if (scenario !== 'troubled') return [first];
  return [first, { ...first, id: 1, name: 'packer', product: 'UaExpertPLC 3.1', tags: 128, doubtful: 0, sinceMs: START - 9 * 60 * MIN }];
}

function linkView(scenario: Scenario): LinkView {
  const down = scenario === 'linkdown';
  const waiting = scenario === 'unknown';
  const total = fakeTags(scenario).length;
  const refused = scenario === 'refused' ? Math.floor((total - 6) / 97) + 1 : 0;
  return {
    id: 0, name: 'line3', state: down ? 'down' : waiting ? 'connecting' : 'up', sinceMs: down ? START - 51_000 : START - 132 * MIN,
    status: down ? 0x80ae0000 : 0, detail: down ? 'connection reset by peer' : '',
    subscription: down || waiting ? 'none' : scenario === 'late' ? 'late' : scenario === 'frozen' ? 'frozen' : 'live',
    subscriptionSinceMs: scenario === 'late' || scenario === 'frozen' ? START - 21_000 : START - 132 * MIN,
    product: waiting ? '' : 'Lineside Plant 0.1', simulated: scenario !== 'real', tags: total, refused,
    doubtful: down || waiting ? total : scenario === 'stopped' ? 13 : 0,
  };
}

const STOPPED: readonly [state: string, sinceMs: number, rate: number][] = [
  ['Execute', 64 * MIN, 598], ['Aborted', 44_000, 0], ['Suspended', 31_000, 0], ['Suspended', 22_000, 0],
  ['Execute', 131 * MIN, 488],
];

function unitView(scenario: Scenario, id: number, at: number): UnitView {
  const stopped = scenario === 'stopped';
  const [state, since, halted] = stopped ? STOPPED[id] : (['Execute', (64 + 7 * id) * MIN, 0] as const);
  const trust = trustIn(scenario);
  const known = scenario !== 'unknown' && !(scenario === 'refused' && id === 2);
  const rate = stopped ? halted : 592 + Math.round(16 * noise(id + Math.floor(at / 2000)));
  const speedRefused = scenario === 'refused' && id === 2;
  return {
    id, state: scenario === 'unknown' ? 'Unknown' : state, unmapped: false, stateSinceMs: START - since, mode: 'Produce',
    stateTrust: trust, rate: known ? rate : null, rateTrust: speedRefused ? 'refused' : trust,
    good: counter(known ? 118_240 + [3640, 1180, 660, 70, 0][id] + Math.floor((at - START) / 100) : null, trust, id === 4 ? 1240 : 0),
    reject: counter(known ? [212, 1840, 620, 88, 0][id] : null, trust, 0),
    rates: known ? Array.from({ length: 60 }, (_, i) => pastRate(scenario, id, i)) : [],
  };
}

function pastRate(scenario: Scenario, id: number, i: number): number | null {
  if (scenario === 'linkdown' && i > 54) return null;
  if (i > 20 && i < 26 && id === 3) return null;
  if (scenario === 'stopped' && id > 0 && id < 4 && i > 56 + id) return 0;
  return (scenario === 'stopped' && id === 4 ? 500 : 600) - 24 * noise(i * 7 + id);
}

function trustIn(scenario: Scenario): Trust {
  if (scenario === 'linkdown') return 'linkDown';
  if (scenario === 'late' || scenario === 'frozen') return 'silent';
  return scenario === 'unknown' ? 'waiting' : 'live';
}

function counter(total: number | null, trust: Trust, acrossGaps: number): CounterView {
  return { total, acrossGaps, resets: 0, rejected: 0, trust };
}

/** A day so far: minutes running, then what interrupted it. */
const STORY: readonly [minutes: number, kind: IntervalKind, state: string][] = [
  [46, 'running', 'Execute'], [1.6, 'stopped', 'Aborted'], [27, 'running', 'Execute'], [0.8, 'held', 'Held'],
  [20, 'running', 'Execute'], [5.8, 'stopped', 'Aborted'], [31, 'running', 'Execute'], [9, 'changeover', 'Stopped'],
  [36, 'running', 'Execute'], [1.1, 'stopped', 'Stopped'], [16, 'running', 'Execute'], [0.7, 'held', 'Held'],
  [10, 'unknown', 'Unknown'], [34, 'running', 'Execute'], [7, 'stopped', 'Aborted'], [5, 'running', 'Execute'],
];

function intervalsOf(scenario: Scenario, unit: number): IntervalView[] {
  if (scenario === 'unknown') return [];
  const own = unit === 1;
  const lag = (unit - 1) * 14_000;
  const found: IntervalView[] = [];
  let at = START - 251 * MIN;
  for (const [minutes, kind, state] of STORY) {
    const waits = !own && (kind === 'stopped' || kind === 'held');
    found.push({
      startMs: at + (kind === 'running' && !waits ? Math.abs(lag) : waits ? Math.abs(lag) : 0),
      kind: waits ? 'suspended' : kind, state: waits ? 'Suspended' : state,
    });
    at += minutes * MIN;
  }
  if (scenario === 'stopped') closing(found, unit);
  if (scenario === 'linkdown') found.push({ startMs: START - 51_000, kind: 'unknown', state: 'Unknown' });
  return found;
}

function closing(found: IntervalView[], unit: number): void {
  const [state, since] = STOPPED[unit];
  if (state === 'Execute') return;
  found.push({ startMs: START - since, kind: unit === 1 ? 'stopped' : 'suspended', state });
}

function outputOf(): { atMs: number; total: number | null }[] {
  const points: { atMs: number; total: number | null }[] = [];
  let total = 0;
  for (let at = SHIFT_START; at <= START; at += MIN) {
    const minute = (at - SHIFT_START) / MIN;
    const stands = (minute > 43 && minute < 48) || (minute > 102 && minute < 114) || (minute > 163 && minute < 167);
    const unknown = minute > 196 && minute < 207;
    total += stands ? 0 : 500;
    points.push({ atMs: at, total: unknown ? null : total });
  }
  return points;
}

function noticesOf(scenario: Scenario): Notice[] {
  const base = { connection: 0, tag: null, fromMs: null, toMs: null, lost: null, status: 0, detail: '' };
  const gap = { fromMs: START - 58 * MIN, toMs: START - 48 * MIN };
  const list: Notice[] = [
    { ...base, seq: 1, atMs: START - 252 * MIN, kind: 'started', connection: null },
    { ...base, seq: 2, atMs: START - 252 * MIN + 900, kind: 'linkUp' },
    { ...base, seq: 3, atMs: SHIFT_START, kind: 'shiftStarted', connection: null, detail: 'Early' },
    { ...base, seq: 4, atMs: gap.fromMs, kind: 'linkDown', status: 0x80ae0000, detail: 'connection reset by peer' },
    { ...base, seq: 5, atMs: gap.toMs, kind: 'linkUp' },
    { ...base, seq: 6, atMs: gap.toMs + 40, kind: 'gapLinkDown', ...gap },
    { ...base, seq: 7, atMs: START - 33 * MIN, kind: 'gapServerOverflow', tag: 44, lost: 12, fromMs: START - 33 * MIN - 1500, toMs: START - 33 * MIN },
  ];
  if (scenario === 'linkdown') {
    list.push({ ...base, seq: 8, atMs: START - 51_000, kind: 'linkDown', status: 0x80ae0000, detail: 'connection reset by peer' });
  }
  if (scenario === 'refused') {
    list.push({ ...base, seq: 9, atMs: START - 60_000, kind: 'itemRefused', tag: 102, status: 0x80340000 });
  }
  return list;
}
