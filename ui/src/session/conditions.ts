// What is wrong now, from facts alone, most important first. Words are made from these in the views.

import type { ConnectionView, LinkView, PlantInfo, RecorderView, ServerStateView, UnitView } from '../generated/api';
import { ALARM_DAYS, DAY_MS, HEALTHY, SKEW_MS, shutdownAt, WARN_DAYS } from './reports';

export type Condition =
  | { kind: 'linkDown' | 'linkConnecting' | 'subscriptionLate' | 'subscriptionFrozen'; link: LinkView; since: number }
  | { kind: 'refused' | 'doubtful'; link: LinkView; count: number }
  | { kind: 'serverShutdown'; link: LinkView; ends: number; reason: string }
  | { kind: 'serverState'; link: LinkView; state: ServerStateView }
  | { kind: 'serviceLevel'; link: LinkView; level: number }
  | { kind: 'clockSkew'; link: LinkView; skewMs: number }
  | { kind: 'serverCertificate' | 'ownCertificate'; link: LinkView; ends: number; urgent: boolean }
  | { kind: 'recorderFailed' | 'recorderLagging'; recorder: RecorderView; since: number }
  | { kind: 'problems'; count: number }
  | { kind: 'unmapped'; unit: UnitView; name: string }
  | { kind: 'unitStopped'; unit: UnitView; name: string; since: number; constraint: boolean };

export interface Facts {
  readonly at: number | null;
  readonly plant: PlantInfo | null;
  readonly problems: number;
  readonly links: readonly LinkView[];
  /** Facts of the connections as told last. */
  readonly told: readonly ConnectionView[];
  readonly recorder: RecorderView | null;
  readonly units: readonly UnitView[];
}

/** How much a condition disturbs: drives symbol and colour. */
export type Weight = 'critical' | 'warning' | 'notice';

export const WEIGHTS: Record<Condition['kind'], Weight> = {
  linkDown: 'critical',
  recorderFailed: 'critical',
  unitStopped: 'critical',
  subscriptionLate: 'warning',
  subscriptionFrozen: 'warning',
  recorderLagging: 'warning',
  serverShutdown: 'warning',
  serverState: 'warning',
  serviceLevel: 'warning',
  clockSkew: 'warning',
  serverCertificate: 'notice',
  ownCertificate: 'notice',
  refused: 'warning',
  problems: 'warning',
  unmapped: 'warning',
  doubtful: 'notice',
  linkConnecting: 'notice',
};

/** A unit other than the constraint that stands is not what holds the line up. */
export function weightOf(condition: Condition): Weight {
  if ('urgent' in condition && condition.urgent) return 'critical';
  return condition.kind === 'unitStopped' && !condition.constraint ? 'warning' : WEIGHTS[condition.kind];
}

/** Is it about data and recording, and of today? Machines have their cards; a certificate can be planned for. */
export function inBanner(condition: Condition): boolean {
  return condition.kind !== 'unitStopped' && !('urgent' in condition && !condition.urgent);
}

const RANK: readonly Condition['kind'][] = [
  'linkDown', 'recorderFailed', 'subscriptionLate', 'subscriptionFrozen', 'unitStopped', 'serverShutdown', 'serverState',
  'serviceLevel', 'recorderLagging', 'clockSkew', 'problems', 'unmapped', 'refused', 'doubtful', 'linkConnecting', 'ownCertificate',
  'serverCertificate',
];

export function conditionsOf(facts: Facts): Condition[] {
  const found = [...facts.links.flatMap(ofLink), ...ofReports(facts), ...ofRecorder(facts.recorder), ...ofUnits(facts)];
  if (facts.problems > 0) found.push({ kind: 'problems', count: facts.problems });
  return found.sort((a, b) => rank(a) - rank(b));
}

/** States in which a unit stands for a reason of its own. Waiting for others is not one of them. */
const STANDING = new Set(['Aborting', 'Aborted', 'Clearing', 'Stopping', 'Stopped', 'Holding', 'Held']);
const PLANNED = new Set(['Changeover', 'Maintenance']);

/** Does the unit stand, unplanned, and is that known to be so now? */
export function isStanding(unit: UnitView): boolean {
  return STANDING.has(unit.state) && !PLANNED.has(unit.mode) && unit.stateTrust === 'live';
}

function rank(condition: Condition): number {
  // An urgent certificate comes right after what is down already.
  if ('urgent' in condition && condition.urgent) return RANK.indexOf('unitStopped') + 0.5;
  const constraintFirst = condition.kind === 'unitStopped' && condition.constraint ? -0.5 : 0;
  return RANK.indexOf(condition.kind) + constraintFirst;
}

/** Is the link lost? An attempt under way does not make good what failed before it: only success wipes the status. */
export function isDown(link: LinkView): boolean {
  return link.state === 'down' || (link.state === 'connecting' && link.status !== 0);
}

function ofLink(link: LinkView): Condition[] {
  if (isDown(link)) return [{ kind: 'linkDown', link, since: link.sinceMs }];
  if (link.state === 'connecting') return [{ kind: 'linkConnecting', link, since: link.sinceMs }];
  const found: Condition[] = [];
  if (link.subscription === 'late') found.push({ kind: 'subscriptionLate', link, since: link.subscriptionSinceMs });
  if (link.subscription === 'frozen') found.push({ kind: 'subscriptionFrozen', link, since: link.subscriptionSinceMs });
  if (link.refused > 0) found.push({ kind: 'refused', link, count: link.refused });
  if (link.doubtful > 0) found.push({ kind: 'doubtful', link, count: link.doubtful });
  return found;
}

/** What a server told of itself holds only while it is there; a certificate ends with or without it. */
function ofReports({ told, links, at }: Facts): Condition[] {
  if (at === null) return [];
  const known = told.flatMap((facts) => {
    const link = links.find(({ id }) => id === facts.link.id);
    return link === undefined ? [] : [{ facts, link }];
  });
  const found = known.flatMap(({ facts, link }) => (link.state === 'up' ? ofServer(facts, link) : []));
  for (const { facts, link } of known) found.push(...ofCertificate('serverCertificate', link, facts.report?.certificateExpiresMs, at));
  // Lineside's own is the same on every connection.
  const own = known.find(({ facts }) => facts.report?.ownCertificateExpiresMs != null);
  if (own !== undefined) found.push(...ofCertificate('ownCertificate', own.link, own.facts.report?.ownCertificateExpiresMs, at));
  return found;
}

function ofServer(facts: ConnectionView, link: LinkView): Condition[] {
  const { report } = facts;
  if (report === null) return [];
  const { serverState: state, serviceLevel: level, clockSkewMs: skewMs } = report;
  const found: Condition[] = [];
  const ends = shutdownAt(facts);
  if (ends !== null) found.push({ kind: 'serverShutdown', link, ends, reason: report.shutdownReason });
  else if (state !== 'running' && state !== 'unknown') found.push({ kind: 'serverState', link, state });
  if (level !== null && level < HEALTHY) found.push({ kind: 'serviceLevel', link, level });
  if (skewMs !== null && Math.abs(skewMs) > SKEW_MS) found.push({ kind: 'clockSkew', link, skewMs });
  return found;
}

function ofCertificate(kind: 'serverCertificate' | 'ownCertificate', link: LinkView, ends: number | null | undefined, at: number): Condition[] {
  if (ends == null || ends - at >= WARN_DAYS * DAY_MS) return [];
  return [{ kind, link, ends, urgent: ends - at < ALARM_DAYS * DAY_MS }];
}

function ofRecorder(recorder: RecorderView | null): Condition[] {
  if (recorder?.state === 'failed') return [{ kind: 'recorderFailed', recorder, since: recorder.sinceMs }];
  if (recorder?.state === 'lagging') return [{ kind: 'recorderLagging', recorder, since: recorder.sinceMs }];
  return [];
}

function ofUnits({ units, plant, at }: Facts): Condition[] {
  const found: Condition[] = [];
  for (const unit of units) {
    const name = plant?.units.find(({ id }) => id === unit.id)?.name ?? '';
    const constraint = unit.id === plant?.constraint;
    const long = at !== null && at - unit.stateSinceMs >= (plant?.minorStopMs ?? 0);
    if (unit.unmapped) found.push({ kind: 'unmapped', unit, name });
    // The constraint holds the whole line up from the first second.
    else if (isStanding(unit) && (constraint || long)) {
      found.push({ kind: 'unitStopped', unit, name, since: unit.stateSinceMs, constraint });
    }
  }
  return found;
}
