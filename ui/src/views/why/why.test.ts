import { afterEach, describe, expect, it } from 'vitest';
import type { Explanation, LinkView } from '../../generated/api';
import { PlantTime } from '../../kit/plant-time';
import { LANGUAGES, setLanguage } from '../../messages';
import { START, tailOf } from '../../platform/fake/plant';
import { factsOf, sentenceOf } from './why';

const UP = (tailOf('good', START, true).links as LinkView[])[0];
const DOWN: LinkView = { ...UP, state: 'down', subscription: 'none', sinceMs: START - 51_000, status: 0x80ae0000, detail: 'reset by peer' };
const since = START - 21_000;
const time = new PlantTime('Europe/Berlin');
const FACTS: Explanation = {
  tag: 1, name: 'Filler.Speed', node: 'nsu=urn:x;s=1', connection: 0, connectionName: 'line3', trust: 'live', status: 0, itemStatus: 0,
  link: UP, receivedMs: START - 1_300, sourceMs: START - 1_500, serverMs: START - 1_400, maxAgeMs: null, confirmed: true, clockSkewMs: null,
  serverUnit: null, atMs: START,
};
const none = { receivedMs: null, sourceMs: null, serverMs: null };

afterEach(() => setLanguage('en'));

/** Trust, status, state of link and subscription: what happened, what it means, what to do. */
const TABLE: [string, Partial<Explanation>, RegExp][] = [
  ['good', {}, /^This value is good and current: it last came 1 s ago, and the subscription has been alive since\.$/],
  ['forced', { status: 0x00960000 }, /^Someone has forced this value.*does not show the process; have it released/],
  ['clamped', { status: 0x00300000 }, /limited this value.*process may be beyond it; check the range/],
  ['good after an overflow', { status: 0x0480 }, /good, but values before it were lost.*shorter publishing interval/],
  ['overflow bit without the data-value type', { status: 0x0080 }, /^This value is good and current/],
  ['another meaning', { status: 0x4000 }, /changed what it means.*compare it with plant\.toml/],
  ['another structure', { status: 0x8000 }, /changed what it means/],
  ['last known at the server', { trust: 'uncertain', status: 0x40900000 }, /stopped sending, so the server repeats its last value; check the device/],
  ['no communication, last usable', { trust: 'uncertain', status: 0x408f0000 }, /repeats its last value/],
  ['inaccurate sensor', { trust: 'uncertain', status: 0x40930000 }, /doubts this value \(the sensor is not exact.*sensor checked/],
  ['out of range at its limit', { trust: 'uncertain', status: 0x40940600 }, /outside the range of the sensor, at its high limit/],
  ['substituted', { trust: 'uncertain', status: 0x40910000 }, /substitute instead of a measurement/],
  ['simulated', { trust: 'uncertain', status: 0x42090000 }, /simulated value.*switched off/],
  ['manual', { trust: 'uncertain', status: 0x42080000 }, /set to manual.*back to automatic/],
  ['an unknown doubt', { trust: 'uncertain', status: 0x41230000 }, /doubts this value \(code 0x41230000\)/],
  ['late', { trust: 'late', receivedMs: START - 65_000, maxAgeMs: 10_000 }, /renewed 1m 05s ago although a new one is expected every 10 s.*check the device/],
  ['late without a limit', { trust: 'late', receivedMs: START - 65_000 }, /renewed 1m 05s ago, so it may be out of date/],
  ['silent server', { trust: 'silent', link: { ...UP, subscription: 'late', subscriptionSinceMs: since } }, /line3 is connected but has sent nothing since 10:12:15.*renews the subscription/],
  ['heartbeat stands still', { trust: 'silent', link: { ...UP, subscription: 'frozen', subscriptionSinceMs: since } }, /heartbeat has stood still since 10:12:15.*connection to the devices/],
  ['subscription being made', { trust: 'silent', link: { ...UP, subscription: 'none' } }, /just being made.*wait a moment/],
  ['not confirmed', { trust: 'silent', confirmed: false }, /No value has come since the subscription was made anew/],
  ['cut cable', { trust: 'linkDown', link: DOWN }, /no connection to line3 since 10:11:45.*last known value; check that the server runs and the network cable/],
  ['connecting for the first time', { trust: 'linkDown', link: { ...DOWN, state: 'connecting', status: 0 } }, /is connecting to line3.*wait a moment/],
  ['an attempt during an outage', { trust: 'linkDown', link: { ...DOWN, state: 'connecting' } }, /no connection to line3 since.*reconnects by itself/],
  ['untrusted certificate', { trust: 'linkDown', link: { ...DOWN, status: 0x801a0000 } }, /because the certificate is not trusted on the other side.*certificates right on both sides/],
  ['expired certificate', { trust: 'linkDown', link: { ...DOWN, status: 0x80140000 } }, /out of date, or the clocks differ/],
  ['wrong password', { trust: 'linkDown', link: { ...DOWN, status: 0x80210000 } }, /did not accept user or password.*correct them/],
  ['security that is not offered', { trust: 'linkDown', link: { ...DOWN, status: 0x80550000 } }, /does not offer the wanted security.*choose one/],
  ['too many sessions', { trust: 'linkDown', link: { ...DOWN, status: 0x80560000 } }, /takes no more clients.*end other clients/],
  ['shut down', { trust: 'linkDown', link: { ...DOWN, status: 0x800c0000 } }, /has been shut down since.*start it again/],
  ['wrong address', { trust: 'linkDown', link: { ...DOWN, status: 0x80830000 } }, /address is wrong.*correct the endpoint/],
  ['device unplugged', { trust: 'bad', status: 0x80310000 }, /lost its connection to the device, so there is no value; check the device/],
  ['broken sensor', { trust: 'bad', status: 0x808c0000 }, /reports a fault \(the sensor reports a fault\).*wiring/],
  ['out of service', { trust: 'bad', status: 0x808d0000 }, /taken out of service.*put it back/],
  ['wrong configuration', { trust: 'bad', status: 0x80890000 }, /cannot deliver this value because.*correct it on the server/],
  ['unknown node as a value', { trust: 'bad', status: 0x80340000 }, /because the server does not know this node/],
  ['no right', { trust: 'bad', status: 0x801f0000 }, /keeps this value from Lineside because the user may not read it/],
  ['server fault', { trust: 'bad', status: 0x80020000 }, /failed to deliver this value \(an internal error/],
  ['bad without a reason', { trust: 'bad', status: 0x80000000 }, /marks this value as bad.*must not be used/],
  ['an unknown bad code', { trust: 'bad', status: 0x80ff0000 }, /as bad \(code 0x80FF0000\)/],
  ['refused: unknown node', { trust: 'refused', itemStatus: 0x80340000, ...none }, /does not know this node, so there is no value; correct the node/],
  ['refused: no right', { trust: 'refused', itemStatus: 0x801f0000, ...none }, /does not let this user read.*right granted/],
  ['refused: too many items', { trust: 'refused', itemStatus: 0x80db0000, ...none }, /at its limit.*raise the limit/],
  ['refused: filter', { trust: 'refused', itemStatus: 0x80440000, ...none }, /cannot monitor this node as asked/],
  ['refused: an object', { trust: 'refused', itemStatus: 0x80350000, ...none }, /has no value to read.*choose the variable below/],
  ['refused: something else', { trust: 'refused', itemStatus: 0x80890000, ...none }, /has refused this tag because/],
  ['refused while the link is down', { trust: 'refused', itemStatus: 0x80340000, link: DOWN, ...none }, /does not know this node/],
  ['waiting', { trust: 'waiting', ...none }, /asked for, but the server has not sent one yet/],
  ['waiting for the device', { trust: 'waiting', status: 0x80320000 }, /server itself waits for the first value/],
  ['waiting without a link', { trust: 'waiting', link: DOWN, ...none }, /No value has come yet because there has been no connection to line3 since 10:11:45/],
  ['no such tag', { trust: 'absent', ...none }, /no such tag in plant\.toml.*add it/],
  ['not fit for its use', { trust: 'unusable' }, /good but not fit for its use.*check the mapping/],
];

describe('why a value is not good', () => {
  it.each(TABLE)('%s', (_, change, sentence) => {
    const said = sentenceOf({ ...FACTS, ...change }, false, time);
    expect(said).toMatch(sentence);
    // One sentence, with nothing left open.
    expect(said).toMatch(/^[A-Zl][^{}]*[^.]\.$/);
  });

  it.each(LANGUAGES)('%s fills every sentence', (language) => {
    setLanguage(language);
    for (const [, change] of TABLE) expect(sentenceOf({ ...FACTS, ...change }, false, time)).not.toMatch(/[{}]|undefined|NaN/);
  });

  it('says first that Lineside itself does not answer', () => {
    expect(sentenceOf(FACTS, true, time)).toMatch(/Lineside has stopped answering/);
  });
});

describe('the facts behind it', () => {
  const wrong = (change: Partial<Explanation>) => factsOf({ ...FACTS, ...change }, time).filter((fact) => fact.wrong).map(({ name }) => name);

  it.each<[string, Partial<Explanation>, string[]]>([
    ['good', {}, []],
    ['link down', { trust: 'linkDown', link: DOWN }, ['Link', 'Subscription']],
    ['late', { trust: 'late', maxAgeMs: 10 }, ['Age']],
    ['bad', { trust: 'bad', status: 0x808c0000 }, ['Status']],
    ['refused', { trust: 'refused', itemStatus: 0x80340000, confirmed: false, ...none }, ['Age', 'Answer to the request']],
    ['another unit', { serverUnit: 'rpm' }, ['Unit at the server']],
  ])('%s', (_, change, names) => expect(wrong(change)).toEqual(names));

  it.each([[null, 'not told'], [120, 'same as this PC'], [3_240, '3.2 s ahead of this PC'], [-90_000, '1m 30s behind this PC']])(
    'a skew of %s ms', (clockSkewMs, text) => {
      expect(factsOf({ ...FACTS, clockSkewMs }, time).find(({ name }) => name === 'Clock of the server')?.text).toBe(text);
    });
});
