// "Why is this value not good?" in one sentence: what happened, what it means, what to do; and the facts behind it.

import type { Explanation, LinkView } from '../../generated/api';
import { formatDuration, formatNumber, formatSpan } from '../../kit/format';
import type { PlantTime } from '../../kit/plant-time';
import { t, type Key } from '../../messages';
import { statusWords, type StatusWords } from '../../messages/status';
import { isDown } from '../../session/conditions';

/** Differences below this are the network's, not the clock's. */
const SAME_CLOCK_MS = 500;

/** The sentence. `silent`: the program behind the page does not answer. */
export function sentenceOf(facts: Explanation, silent: boolean, time: PlantTime): string {
  const status = statusWords(facts.trust === 'refused' ? facts.itemStatus : facts.status);
  const key = silent ? 'explain.noAnswer' : keyOf(facts, status);
  const since = key.startsWith('explain.silent') ? facts.link.subscriptionSinceMs : facts.link.sinceMs;
  return t(key, {
    link: facts.connectionName,
    since: time.near(since, facts.atMs),
    age: facts.receivedMs === null ? t('value.none') : formatDuration(facts.atMs - facts.receivedMs),
    max: facts.maxAgeMs === null ? t('value.none') : formatSpan(facts.maxAgeMs),
    reason: (key.startsWith('explain.linkDown') ? statusWords(facts.link.status) : status).reason,
  });
}

export interface Fact {
  readonly name: string;
  readonly text: string;
  /** This is what is wrong. */
  readonly wrong: boolean;
}

/** Link, subscription and age first: the three facts that decide whether a value is current. */
export function factsOf(facts: Explanation, time: PlantTime): Fact[] {
  const { link, atMs } = facts;
  const since = (words: string, ms: number) =>
    t('explain.fact.since', { words, time: time.near(ms, atMs), duration: formatDuration(atMs - ms) });
  const at = (ms: number | null) => (ms === null ? t('clock.notTold') : time.near(ms, atMs));
  const status = statusWords(facts.status);
  const rows: (Fact | null)[] = [
    { name: t('explain.fact.link'), text: since(t(`link.${link.state}`), link.sinceMs), wrong: link.state !== 'up' },
    { name: t('explain.fact.subscription'), text: subscriptionText(facts, since), wrong: subscriptionWrong(facts) },
    { name: t('explain.fact.age'), text: ageText(facts), wrong: facts.receivedMs === null || facts.trust === 'late' },
    facts.receivedMs === null ? null
      : { name: t('explain.fact.status'), text: statusText(status), wrong: status.severity !== 'good' },
    facts.itemStatus === 0 ? null
      : { name: t('explain.fact.item'), text: statusText(statusWords(facts.itemStatus)), wrong: true },
    { name: t('explain.fact.source'), text: at(facts.sourceMs), wrong: false },
    { name: t('explain.fact.server'), text: at(facts.serverMs), wrong: false },
    { name: t('explain.fact.received'), text: at(facts.receivedMs), wrong: false },
    { name: t('explain.fact.skew'), text: skewText(facts.clockSkewMs), wrong: false },
    facts.serverUnit === null ? null
      : { name: t('explain.fact.unit'), text: t('explain.fact.unit.differs', { unit: facts.serverUnit }), wrong: true },
    { name: t('explain.fact.node'), text: facts.node, wrong: false },
    link.detail === '' || link.state === 'up' ? null : { name: t('explain.fact.detail'), text: link.detail, wrong: false },
  ];
  return rows.filter((row) => row !== null);
}

/** The server's clock against ours. */
export function skewText(skewMs: number | null): string {
  if (skewMs === null) return t('clock.notTold');
  if (Math.abs(skewMs) < SAME_CLOCK_MS) return t('clock.same');
  const span = Math.abs(skewMs) < 60_000 ? `${formatNumber(Math.abs(skewMs) / 1000, 1)} s` : formatDuration(Math.abs(skewMs));
  return t(skewMs > 0 ? 'clock.ahead' : 'clock.behind', { span });
}

function keyOf(facts: Explanation, status: StatusWords): Key {
  switch (facts.trust) {
    case 'live':
      return liveKey(facts.status, status);
    case 'uncertain':
      return pick('explain.uncertain', status.group, 'doubtful');
    case 'late':
      return facts.maxAgeMs === null ? 'explain.late.plain' : 'explain.late';
    case 'silent':
      return facts.link.subscription === 'live' ? 'explain.silent.unconfirmed' : `explain.silent.${facts.link.subscription}`;
    case 'linkDown':
      return linkKey(facts.link);
    case 'bad':
      return pick('explain.bad', status.group, 'bad');
    case 'refused':
      return pick('explain.refused', refusedBy(status), 'other');
    case 'waiting':
      if (facts.link.state !== 'up') return 'explain.waiting.link';
      return status.why === 'waiting' ? 'explain.waiting.server' : 'explain.waiting';
    case 'absent':
      return 'explain.absent';
    case 'unusable':
      return 'explain.unusable';
  }
}

const OVERFLOW = 0x0480;
const CHANGED = 0xc000;

function liveKey(status: number, words: StatusWords): Key {
  if (words.group === 'forced') return 'explain.live.forced';
  if (words.group === 'clamped') return 'explain.live.clamped';
  if ((status & OVERFLOW) === OVERFLOW) return 'explain.live.overflow';
  return (status & CHANGED) === 0 ? 'explain.live' : 'explain.live.changed';
}

const LINK_KEYS = new Map<string, Key>([
  ['login', 'explain.linkDown.login'], ['rights', 'explain.linkDown.login'], ['security', 'explain.linkDown.security'],
  ['limit', 'explain.linkDown.limit'], ['shutdown', 'explain.linkDown.shutdown'], ['address', 'explain.linkDown.address'],
]);

function linkKey(link: LinkView): Key {
  // A link that came back after this was said: the next answer will say so.
  if (!isDown(link)) return 'explain.linkDown.connecting';
  const { why } = statusWords(link.status);
  if (why.startsWith('certificate')) return 'explain.linkDown.certificate';
  return LINK_KEYS.get(why) ?? 'explain.linkDown.other';
}

function refusedBy({ why, group }: StatusWords): string {
  if (group === 'rights') return 'rights';
  return why === 'type' || why === 'unsupported' ? 'filter' : why;
}

function pick(stem: 'explain.uncertain' | 'explain.bad' | 'explain.refused', last: string, fallback: string): Key {
  const found = KEYS[stem].includes(last) ? last : fallback;
  return `${stem}.${found}` as Key;
}

const KEYS = {
  'explain.uncertain': ['old', 'doubtful', 'substituted', 'simulated', 'manual'],
  'explain.bad': ['comms', 'device', 'outOfService', 'config', 'rights', 'server'],
  'explain.refused': ['unknownNode', 'rights', 'limit', 'filter', 'noValue'],
};

function subscriptionText(facts: Explanation, since: (words: string, ms: number) => string): string {
  const { link } = facts;
  if (link.subscription === 'none') return t('subscription.none');
  const text = since(t(`subscription.${link.subscription}`), link.subscriptionSinceMs);
  return confirmed(facts) ? text : `${text}, ${t('explain.fact.unconfirmed')}`;
}

function subscriptionWrong(facts: Explanation): boolean {
  return facts.link.subscription !== 'live' || !confirmed(facts);
}

/** A tag that the server refused has nothing that could be confirmed. */
function confirmed({ confirmed: told, itemStatus }: Explanation): boolean {
  return told || itemStatus !== 0;
}

function ageText({ receivedMs, maxAgeMs, atMs }: Explanation): string {
  if (receivedMs === null) return t('explain.fact.age.none');
  const age = formatDuration(atMs - receivedMs);
  return maxAgeMs === null ? t('explain.fact.age.of', { age }) : t('explain.fact.age.limit', { age, max: formatSpan(maxAgeMs) });
}

function statusText(words: StatusWords): string {
  return `${words.reason} · ${words.code}`;
}
