import { describe, expect, it } from 'vitest';
import type { LinkView, TagInfo, Trust } from '../../generated/api';
import { PlantTime } from '../../kit/plant-time';
import { fakeTags, START, tailOf } from '../../platform/fake/plant';
import { haystack, matches, passes, type TagFilter, withLink, wordsOf } from '../../session/tag-filter';
import type { TagValue } from '../../session/values';
import { rowOf } from './row';

const link = (tailOf('good', START, true).links as LinkView[])[0];
const speed = fakeTags('good').find((tag) => tag.name === 'Filler.Speed') as TagInfo;
const state = fakeTags('good').find((tag) => tag.name === 'Filler.State') as TagInfo;
const GOOD: TagValue = {
  kind: 'float', trust: 'live', value: 598.21, text: null, status: 0, sourceTime: START - 1500, serverTime: START - 1400, received: START - 1300,
};
const row = (change: Partial<TagValue>, tag = speed, context: { silent?: boolean; link?: LinkView } = {}) =>
  rowOf(tag, { ...GOOD, ...change }, { now: START, silent: false, link, time: new PlantTime('Europe/Berlin'), ...context });

describe('rowOf', () => {
  it('shows a good value plainly', () => {
    expect(row({})).toEqual({
      trust: 'live', look: 'live', value: '598.2', numeric: true, quality: 'Good', code: '', sourceTime: '10:12:34', age: '1 s', why: '',
    });
  });

  it.each<[string, Partial<TagValue>, TagInfo, string]>([
    ['enumeration', { kind: 'signed', value: 9 }, state, 'Aborted (9)'],
    ['unnamed number', { kind: 'signed', value: 77 }, state, '77'],
    ['digits beyond 2^53', { kind: 'unsigned', value: 18446744073709552000, text: '18446744073709551615' }, state, '18446744073709551615'],
    ['switch', { kind: 'boolean', value: 0 }, speed, 'off'],
    ['text', { kind: 'text', value: NaN, text: 'Cola 0.5' }, speed, 'Cola 0.5'],
    ['not a number', { value: NaN }, speed, 'NaN'],
    ['time', { kind: 'time', value: NaN, text: String(START - 60_000) }, speed, '10:11:36'],
    ['empty', { kind: 'empty', value: NaN }, speed, '–'],
  ])('%s', (_, change, tag, text) => expect(row(change, tag).value).toBe(text));

  it.each<[string, Partial<TagValue>, { silent?: boolean; link?: LinkView }, string, string, string]>([
    ['late', { trust: 'late', received: START - 65_000 }, {}, 'stale', 'Late', 'Not renewed for 1m 05s; expected every 10 s. Check the device or its driver.'],
    ['link down', { trust: 'live' }, { link: { ...link, state: 'down', sinceMs: START - 51_000 } }, 'stale', 'Last known', 'No connection to line3 since 10:11:45. Check server and network.'],
    ['silent server', {}, { link: { ...link, subscription: 'late', subscriptionSinceMs: START - 21_000 } }, 'stale', 'Last known', 'Server silent since 10:12:15. Lineside renews the subscription by itself.'],
    ['heartbeat stands still', {}, { link: { ...link, subscription: 'frozen', subscriptionSinceMs: START - 21_000 } }, 'stale', 'Stands still', 'The server’s heartbeat stands still since 10:12:15. Check its connection to the devices.'],
    ['refused', { trust: 'refused', status: 0x80340000 }, {}, 'none', 'Refused', 'Server refused it: the server does not know this node. Correct the node in plant.toml.'],
    ['bad', { trust: 'bad', status: 0x808c0000 }, {}, 'none', 'Sensor fault', 'Server says: the sensor reports a fault.'],
    ['uncertain', { trust: 'uncertain', status: 0x40910000 }, {}, 'doubtful', 'Substituted', 'Server says: a substitute value, not a measurement.'],
    ['forced', { status: 0x00960000 }, {}, 'live', 'Forced', 'Someone has forced this value on the server.'],
    ['waiting', { trust: 'waiting', received: NaN, sourceTime: NaN }, {}, 'none', 'Waiting', 'Asked for; the server has sent nothing yet.'],
    ['backend dead', {}, { silent: true }, 'stale', 'Last known', 'Lineside does not answer. This is the last known value.'],
  ])('%s', (_, change, context, look, quality, why) => {
    expect(row(change, speed, context)).toMatchObject({ look, quality, why });
  });

  it('shows no number where the value must not be used, and does not invent one before it came', () => {
    expect(row({ trust: 'bad', status: 0x808c0000, value: 12 }).value).toBe('–');
    expect(rowOf(speed, null, { now: START, silent: false, link, time: new PlantTime('UTC') })).toMatchObject({ value: '', trust: null });
  });
});

describe('search and filter', () => {
  it.each([['filler speed', true], ['SPEED', true], ['s=filler', true], ['actual', true], ['speed capper', false], ['  ', true]])(
    '“%s”', (search, found) => expect(matches(haystack(speed), wordsOf(search))).toBe(found));

  it.each<[TagFilter, (Trust | null)[]]>([
    ['all', [null, 'live', 'uncertain', 'late', 'silent', 'linkDown', 'bad', 'refused', 'waiting']],
    ['notGood', ['uncertain', 'late', 'silent', 'linkDown', 'bad', 'refused', 'waiting']],
    ['late', ['late', 'silent', 'linkDown']],
    ['refused', ['refused']],
  ])('%s', (filter, passing) => {
    const all = [null, 'live', 'uncertain', 'late', 'silent', 'linkDown', 'bad', 'refused', 'waiting'] as const;
    expect(all.filter((trust) => passes(filter, trust))).toEqual(passing);
  });

  it.each<[Trust, Partial<LinkView>, Trust]>([
    ['live', { subscription: 'frozen' }, 'silent'], ['live', {}, 'live'], ['live', { state: 'down' }, 'linkDown'], ['live', { state: 'connecting' }, 'linkDown'],
    ['late', { subscription: 'late' }, 'silent'], ['live', { subscription: 'none' }, 'silent'], ['refused', { state: 'down' }, 'refused'],
    ['waiting', { state: 'down' }, 'waiting'],
  ])('%s over a link %j is %s', (trust, change, expected) => expect(withLink(trust, { ...link, ...change })).toBe(expected));
});
