// Facts in words: trusts, conditions, notices. Used by the shell and the views.

import type { LinkView, Notice, UnitView } from '../generated/api';
import { formatDuration, formatNumber, formatSpan } from '../kit/format';
import type { PlantTime } from '../kit/plant-time';
import { t, tn, tOr, type Key } from '../messages';
import { statusWords } from '../messages/status';
import type { Condition } from '../session/conditions';
import type { Shown } from '../shell/screen.svelte';
import { leftText, levelOf } from './connections/findings';
import { skewText } from './why/why';

/** How a figure with this trust is drawn. `none`: dashes instead of a number. */
export type FigureLook = 'live' | 'doubtful' | 'stale' | 'none';

export function figureLook(trust: Shown): FigureLook {
  switch (trust) {
    case 'live':
      return 'live';
    case 'uncertain':
      return 'doubtful';
    case 'late':
    case 'silent':
    case 'frozen':
    case 'linkDown':
    case 'noAnswer':
      return 'stale';
    default:
      return 'none';
  }
}

export function trustShape(trust: Shown): 'clock' | 'question' | 'cross' | 'bar' | 'dots' {
  const look = figureLook(trust);
  if (look === 'stale') return 'clock';
  if (look === 'doubtful') return 'question';
  return trust === 'refused' ? 'bar' : trust === 'waiting' ? 'dots' : 'cross';
}

export function stateWords(unit: Pick<UnitView, 'state' | 'unmapped'>): string {
  return unit.unmapped ? t('state.unmapped') : tOr(`state.${unit.state}`, unit.state);
}

export interface ConditionWords {
  readonly title: string;
  readonly meaning: string;
  readonly todo: string;
}

/** What is wrong, what it means, what to do. `now` in ms of plant time. */
export function conditionWords(condition: Condition, now: number, minorStopMs: number): ConditionWords {
  switch (condition.kind) {
    case 'linkDown':
    case 'linkConnecting':
    case 'subscriptionLate':
    case 'subscriptionFrozen':
      return plain(condition.kind, { link: condition.link.name }, linkTodo(condition.kind, condition.link));
    case 'refused':
    case 'doubtful': {
      const { kind, count, link } = condition;
      const title = tn(`condition.${kind}`, count, { link: link.name }, formatNumber(count));
      return { title, meaning: t(`condition.${kind}.meaning`), todo: t(`condition.${kind}.todo`) };
    }
    case 'serverShutdown': {
      const { link, ends, reason } = condition;
      const words = plain('serverShutdown', { link: link.name, span: formatDuration(Math.max(0, ends - now)) });
      return { ...words, todo: t('condition.serverShutdown.todo', { reason }).trim() };
    }
    case 'serverState':
      return plain('serverState', { link: condition.link.name, words: t(`server.${condition.state}`) });
    case 'serviceLevel': {
      const { link, level } = condition;
      return plain('serviceLevel', { link: link.name, n: String(level), words: t(`level.${levelOf(level)}`) });
    }
    case 'clockSkew':
      return plain('clockSkew', { link: condition.link.name, skew: skewText(condition.skewMs) });
    case 'serverCertificate':
    case 'ownCertificate':
      return plain(condition.kind, { link: condition.link.name, left: leftText(condition.ends, now) });
    case 'recorderFailed':
    case 'recorderLagging': {
      const { detail, lagMs } = condition.recorder;
      const words = plain(condition.kind, { lag: formatDuration(lagMs) });
      return { ...words, todo: t(`condition.${condition.kind}.todo`, { detail }).trim() };
    }
    case 'problems': {
      const title = tn('condition.problems', condition.count);
      return { title, meaning: t('condition.problems.meaning'), todo: t('condition.problems.todo') };
    }
    case 'unmapped':
      return plain('unmapped', { unit: condition.name });
    case 'unitStopped':
      return stoppedWords(condition, now, minorStopMs);
  }
}

type LinkKind = 'linkDown' | 'linkConnecting' | 'subscriptionLate' | 'subscriptionFrozen';
type PlainKind =
  | LinkKind | 'serverShutdown' | 'serverState' | 'serviceLevel' | 'clockSkew' | 'serverCertificate' | 'ownCertificate' | 'recorderFailed'
  | 'recorderLagging' | 'unmapped';

function plain(kind: PlainKind, params: Record<string, string>, todo: string = t(`condition.${kind}.todo`)): ConditionWords {
  return { title: t(`condition.${kind}`, params), meaning: t(`condition.${kind}.meaning`), todo };
}

/** Certificates and log-ins need a person; a cut cable mends itself once it is in again. */
function linkTodo(kind: LinkKind, link: LinkView): string {
  if (kind !== 'linkDown') return t(`condition.${kind}.todo`);
  const { why } = statusWords(link.status);
  if (why.startsWith('certificate') || why === 'security') {
    return t('condition.linkUntrusted.todo', { detail: link.detail }).trim();
  }
  if (why === 'login' || why === 'rights') return t('condition.linkRejected.todo');
  return t('condition.linkDown.todo');
}

function stoppedWords(
  condition: Extract<Condition, { kind: 'unitStopped' }>, now: number, minorStopMs: number,
): ConditionWords {
  const { unit, name, since, constraint } = condition;
  const title = t('condition.unitStopped', {
    unit: name, state: stateWords(unit), duration: formatDuration(now - since),
  });
  const meaning = constraint
    ? t('condition.unitStopped.constraint')
    : t('condition.unitStopped.other', { minor: formatSpan(minorStopMs) });
  return { title, meaning, todo: '' };
}

export interface NoticeWords {
  readonly title: string;
  /** Times, losses, reason. */
  readonly detail: string;
}

/** `name`s of connection and tag are looked up by the caller; null: not known. */
export function noticeWords(notice: Notice, link: string | null, tag: string | null, time: PlantTime): NoticeWords {
  const tagName = tag ?? (notice.tag === null ? null : t('event.tag', { id: notice.tag }));
  const source = tagName ?? link ?? t('event.plant');
  const title = t(`event.${notice.kind}` as Key, { link: link ?? source, tag: tagName ?? source, source });
  const details: string[] = [];
  if (notice.fromMs !== null && notice.toMs !== null) {
    const range = { from: time.seconds(notice.fromMs), to: time.seconds(notice.toMs) };
    details.push(`${t('events.range', range)} (${formatDuration(notice.toMs - notice.fromMs)})`);
  }
  if (notice.lost !== null && (notice.lost > 0 || notice.kind === 'gapFilled')) {
    details.push(tn(notice.kind === 'gapFilled' ? 'events.filled' : 'events.lost', notice.lost, {}, formatNumber(notice.lost)));
  }
  // The adapter's own words know what failed; a status code alone would be read as the server's word about a device.
  if (notice.kind === 'clockSkewed') details.push(t('events.seconds', { n: notice.detail }));
  else if (notice.detail !== '') details.push(notice.detail);
  else if (notice.status !== 0) details.push(statusWords(notice.status).reason);
  return { title, detail: details.join(' · ') };
}
