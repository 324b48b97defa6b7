// The figures of one connection as rows of names and words. What was not told stays null, and is said to be unknown.

import type { ConnectionView, GapView, LimitView, LinkView, ReportView, SubscriptionView } from '../../generated/api';
import type { FactRow } from '../../kit/facts';
import { formatDuration, formatNumber, formatSpan } from '../../kit/format';
import type { PlantTime } from '../../kit/plant-time';
import { t, tn, tOr } from '../../messages';
import { statusWords } from '../../messages/status';
import type { Weight } from '../../session/conditions';
import { conditionsOf } from '../../session/conditions';
import { conditionWords } from '../words';
import { skewText } from '../why/why';
import { SKEW_MS } from '../../session/reports';
import { expiry, levelOf } from './findings';

export interface LinkWords {
  readonly weight: Weight | 'calm';
  readonly title: string;
  readonly meaning: string;
  readonly todo: string;
  readonly since: number;
}

/** The state of a link, what it means, and what to do. */
export function linkWords(link: LinkView): LinkWords {
  const condition = conditionsOf({ at: null, plant: null, problems: 0, links: [link], told: [], recorder: null, units: [] }).find(
    ({ kind }) => kind !== 'refused' && kind !== 'doubtful',
  );
  if (condition === undefined) {
    const stem = link.subscription === 'live' ? 'good' : 'subscribing';
    const since = link.subscription === 'live' ? link.sinceMs : link.subscriptionSinceMs;
    return { weight: 'calm', title: t(`connections.${stem}`), meaning: t(`connections.${stem}.meaning`), todo: '', since };
  }
  const titles = {
    linkDown: 'connections.down', linkConnecting: 'connections.connecting', subscriptionLate: 'connections.late',
    subscriptionFrozen: 'connections.frozen',
  } as const;
  const kind = condition.kind as keyof typeof titles;
  const words = conditionWords(condition, 0, 0);
  const since = kind.startsWith('link') ? link.sinceMs : link.subscriptionSinceMs;
  const weight = kind === 'linkDown' ? 'critical' : kind === 'linkConnecting' ? 'notice' : 'warning';
  return { weight, title: t(titles[kind]), meaning: words.meaning, todo: words.todo, since };
}

export function deliveryRows({ flow, ...report }: ReportView): FactRow[] {
  const n = (value: number) => formatNumber(value);
  const skewed = report.clockSkewMs !== null && Math.abs(report.clockSkewMs) > SKEW_MS;
  return [
    { name: t('connections.values'), text: n(flow.values) },
    { name: t('connections.notifications'), text: n(flow.notifications) },
    { name: t('connections.missing'), text: n(flow.missing) },
    { name: t('connections.republished'), text: n(flow.republished), inner: true },
    { name: t('connections.lost'), text: n(flow.lost), inner: true, weight: flow.lost > 0 ? 'warning' : null },
    { name: t('connections.repeated'), text: n(flow.repeated) },
    { name: t('connections.overflows'), text: n(flow.overflows), weight: flow.overflows > 0 ? 'notice' : null },
    { name: t('connections.lateTimes'), text: n(flow.late) },
    { name: t('connections.publishLate'), text: milliseconds(report.publishLateMs) },
    { name: t('connections.roundTrip'), text: milliseconds(report.roundTripMs) },
    {
      name: t('connections.skew'), text: report.clockSkewMs === null ? null : skewText(report.clockSkewMs),
      weight: skewed ? 'warning' : null,
    },
  ];
}

export function sessionRows(connection: ConnectionView, report: ReportView, now: number, time: PlantTime): FactRow[] {
  const { flow, serviceLevel } = report;
  const level = serviceLevel === null ? null : { n: serviceLevel, words: t(`level.${levelOf(serviceLevel)}`) };
  const started = connection.serverStartedMs;
  const moved = report.endpoint !== connection.endpoint;
  return [
    { name: t('connections.product'), text: connection.link.product || null },
    { name: t('connections.endpoint'), text: report.endpoint || null },
    ...(moved ? [{ name: t('connections.configured'), text: connection.endpoint }] : []),
    { name: t('connections.security'), text: securityText(report.security), weight: report.security === 'None' ? 'notice' as const : null },
    { name: t('connections.user'), text: report.user === '' ? t('connections.user.anonymous') : report.user },
    { name: t('connections.serverState'), text: report.serverState === 'unknown' ? null : t(`server.${report.serverState}`) },
    { name: t('connections.serverStarted'), text: started === null ? null : time.near(started, now) },
    { name: t('connections.serviceLevel'), text: level === null ? null : t('connections.serviceLevel.of', level) },
    { name: t('connections.timeout'), text: report.sessionTimeoutMs > 0 ? formatSpan(report.sessionTimeoutMs) : null },
    { name: t('connections.lostLinks'), text: tn('connections.times', flow.lostLinks, {}, formatNumber(flow.lostLinks)) },
    { name: t('connections.sessions'), text: pair(flow.sessionsCreated, flow.sessionsReactivated) },
    { name: t('connections.subscriptionsMade'), text: pair(flow.subscriptionsCreated, flow.subscriptionsTransferred) },
  ];
}

export function certificateRows(report: ReportView, now: number, time: PlantTime): FactRow[] {
  const row = (name: string, ms: number | null): FactRow => {
    const ends = ms === null ? null : expiry(ms, now, time);
    return { name, text: ends?.text ?? null, weight: ends?.weight ?? null };
  };
  const used = report.certificate !== '';
  return [
    used ? row(t('connections.certificate.server'), report.certificateExpiresMs)
      : { name: t('connections.certificate.server'), text: t('connections.certificate.none') },
    ...(used ? [{ name: t('connections.certificate.thumbprint'), text: groups(report.certificate), inner: true }] : []),
    row(t('connections.certificate.own'), report.ownCertificateExpiresMs),
  ];
}

/** Intervals and counts of a subscription as the spans they mean. */
export function subscriptionCells(subscription: SubscriptionView): string[] {
  const { id, publishingMs, keepAlive, lifetime, items } = subscription;
  return [
    String(id), formatSpan(publishingMs), formatSpan(publishingMs * keepAlive), formatSpan(publishingMs * lifetime), formatNumber(items),
  ];
}

/** Limits that were declared or are kept to, those that matter first. */
export function limitCells({ name, declared, used }: LimitView): { name: string; declared: string; used: string } {
  return {
    name: tOr(`limit.${name}`, name),
    declared: declared === null ? t('connections.limit.none') : formatNumber(declared),
    used: used === null ? t('value.none') : formatNumber(used),
  };
}

/** What became of a gap. */
export function filledText({ filled, tagsFilled, tagsWithout }: GapView): string {
  if (tagsFilled === 0) return tagsWithout === 0 ? t('connections.gap.notFilled') : t('connections.gap.without');
  const values = tn('connections.gap.values', filled, {}, formatNumber(filled));
  const params = { values, tags: formatNumber(tagsFilled), without: formatNumber(tagsWithout) };
  return t(tagsWithout === 0 ? 'connections.gap.tags' : 'connections.gap.tags.without', params);
}

/** Why the server refused an item, and what to do: two sentences. */
export function refusedText(status: number): { reason: string; todo: string } {
  const words = statusWords(status);
  const last = words.group === 'rights' ? 'rights' : words.why;
  return { reason: words.reason, todo: tOr(`connections.refused.todo.${last}`, t('connections.refused.todo.other')) };
}

export function securityText(security: string): string {
  return security === 'None' || security === '' ? t('connections.security.none') : security.replace('/', ' · ');
}

/** `4F 2A …`: groups of two, as certificates are compared by people. */
export function groups(thumbprint: string): string {
  return (thumbprint.toUpperCase().match(/.{1,2}/g) ?? []).join(' ');
}

export function gapSpan(gap: GapView): string {
  const span = gap.toMs - gap.fromMs;
  return span < 1000 ? `${formatNumber(span)} ms` : formatDuration(span);
}

function milliseconds(ms: number | null): string | null {
  return ms === null ? null : `${formatNumber(ms, ms < 10 ? 1 : 0)} ms`;
}

function pair(a: number, b: number): string {
  return t('connections.pair', { a: formatNumber(a), b: formatNumber(b) });
}
