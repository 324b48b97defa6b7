// What is to be looked at on one connection, gravest first, each with what to do. From facts alone.

import type { ConnectionView, LinkView, ReportView } from '../../generated/api';
import { formatDuration, formatNumber } from '../../kit/format';
import type { PlantTime } from '../../kit/plant-time';
import { t, tn } from '../../messages';
import type { Weight } from '../../session/conditions';
import { ALARM_DAYS, DAY_MS, HEALTHY, SKEW_MS, shutdownAt, WARN_DAYS } from '../../session/reports';
import { skewText } from '../why/why';

export interface Finding {
  readonly kind: string;
  readonly weight: Weight;
  readonly title: string;
  readonly todo: string;
}

const LATE_MS = 1_000;
const ORDER: readonly Weight[] = ['critical', 'warning', 'notice'];

export function findingsOf(connection: ConnectionView, link: LinkView, now: number, time: PlantTime): Finding[] {
  const { report } = connection;
  const found = report === null ? [] : [...ofServer(connection, report, now), ...ofCertificates(report, now, time), ...ofDelivery(report)];
  const refused = connection.refused.length + connection.moreRefused;
  if (refused > 0 && link.state === 'up') {
    found.push(finding('refused', 'warning', tn('finding.refused', refused, {}, formatNumber(refused))));
  }
  const { doubtful } = link;
  if (doubtful > 0 && link.state === 'up' && link.subscription === 'live') {
    found.push(finding('doubtful', 'notice', tn('finding.doubtful', doubtful, {}, formatNumber(doubtful))));
  }
  return found.sort((a, b) => ORDER.indexOf(a.weight) - ORDER.indexOf(b.weight));
}

/** The graver of two; a finding that is only a notice does not disturb the calm of a good link. */
export function gravest(link: Weight | 'calm', finding: Weight | undefined): Weight | 'calm' {
  if (finding === undefined || finding === 'notice') return link;
  return link === 'calm' || ORDER.indexOf(finding) < ORDER.indexOf(link) ? finding : link;
}

/** How long a certificate lasts; `weight` is null while there is nothing to do. */
export function expiry(ms: number, now: number, time: PlantTime): { text: string; left: string; weight: Weight | null } {
  const date = time.date(ms);
  const days = Math.floor((ms - now) / DAY_MS);
  const weight = days < ALARM_DAYS ? 'critical' : days < WARN_DAYS ? 'warning' : null;
  if (ms <= now) return { text: t('connections.expired', { date }), left: t('connections.expired', { date }), weight };
  const left = leftText(ms, now);
  return { text: t('connections.expires.date', { left, date }), left, weight };
}

/** How long a certificate lasts, without the date. */
export function leftText(ms: number, now: number): string {
  const days = Math.floor((ms - now) / DAY_MS);
  if (ms <= now) return t('connections.expired.short');
  return days === 0 ? t('connections.expires.today') : tn('connections.expires', days, {}, formatNumber(days));
}

export type Level = 'healthy' | 'degraded' | 'noData' | 'maintenance';

export function levelOf(level: number): Level {
  if (level >= HEALTHY) return 'healthy';
  return level === 0 ? 'maintenance' : level === 1 ? 'noData' : 'degraded';
}

type Kind =
  | 'serverState' | 'shutdown' | 'level' | 'serverCertificate' | 'ownCertificate' | 'skew' | 'refused' | 'doubtful' | 'lost'
  | 'overflows' | 'security' | 'member' | 'late';

function finding(kind: Kind, weight: Weight, title: string, params: Record<string, string> = {}): Finding {
  return { kind, weight, title, todo: t(`finding.${kind}.todo`, params).trim() };
}

function ofServer(connection: ConnectionView, report: ReportView, now: number): Finding[] {
  const found: Finding[] = [];
  const { serverState: state, serviceLevel: level } = report;
  const ends = shutdownAt(connection);
  if (ends !== null) {
    const title = t('finding.shutdown', { span: formatDuration(Math.max(0, ends - now)) });
    found.push(finding('shutdown', 'warning', title, { reason: report.shutdownReason }));
  } else if (state !== 'running' && state !== 'unknown') {
    found.push(finding('serverState', 'warning', t('finding.serverState', { words: t(`server.${state}`) })));
  }
  if (level !== null && level < HEALTHY) {
    found.push(finding('level', 'warning', t('finding.level', { n: level, words: t(`level.${levelOf(level)}`) })));
  }
  for (const { endpoint } of report.members.filter(({ role }) => role === 'unreachable')) {
    found.push(finding('member', 'warning', t('finding.member', { endpoint })));
  }
  return found;
}

function ofCertificates(report: ReportView, now: number, time: PlantTime): Finding[] {
  const certificates = [
    ['serverCertificate', report.certificateExpiresMs], ['ownCertificate', report.ownCertificateExpiresMs],
  ] as const;
  const found = certificates.flatMap(([kind, ms]) => {
    const ends = ms === null ? null : expiry(ms, now, time);
    return ends === null || ends.weight === null ? [] : [finding(kind, ends.weight, t(`finding.${kind}`, { left: ends.left }))];
  });
  if (report.security === 'None') found.push(finding('security', 'notice', t('finding.security')));
  return found;
}

function ofDelivery({ flow, clockSkewMs, publishLateMs }: ReportView): Finding[] {
  const found: Finding[] = [];
  if (clockSkewMs !== null && Math.abs(clockSkewMs) > SKEW_MS) {
    found.push(finding('skew', 'warning', t('finding.skew', { skew: skewText(clockSkewMs) })));
  }
  if (flow.lost > 0) found.push(finding('lost', 'warning', tn('finding.lost', flow.lost, {}, formatNumber(flow.lost))));
  if (flow.overflows > 0) {
    found.push(finding('overflows', 'notice', tn('finding.overflows', flow.overflows, {}, formatNumber(flow.overflows))));
  }
  if (publishLateMs !== null && publishLateMs > LATE_MS) {
    found.push(finding('late', 'notice', t('finding.late', { span: `${formatNumber(publishLateMs / 1000, 1)} s` })));
  }
  return found;
}
