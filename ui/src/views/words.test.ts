import { describe, expect, it } from 'vitest';
import type { LinkView, Notice } from '../generated/api';
import { PlantTime } from '../kit/plant-time';
import { START, tailOf } from '../platform/fake/plant';
import { conditionWords, noticeWords } from './words';

const link = (tailOf('linkdown', START, true).links as LinkView[])[0];
const time = new PlantTime('Europe/Berlin');
const NOTICE: Notice = {
  seq: 1, atMs: START, kind: 'gapServerOverflow', connection: 0, tag: 44, fromMs: START - 5_000, toMs: START, lost: 12, status: 0, detail: '',
};

describe('conditionWords', () => {
  it.each<[string, number, RegExp]>([
    ['a cut cable', 0x80ae0000, /server runs and the network cable/],
    ['a certificate', 0x801a0000, /certificate was not accepted.*reset by peer/],
    ['security that is not offered', 0x80550000, /certificate was not accepted/],
    ['a wrong password', 0x80210000, /Check user and password/],
  ])('tells what to do about %s', (_, status, todo) => {
    const words = conditionWords({ kind: 'linkDown', link: { ...link, status }, since: START }, START, 0);
    expect(words.title).toBe('line3: no connection');
    expect(words.todo).toMatch(todo);
  });
});

describe('noticeWords', () => {
  it.each<[string, Partial<Notice>, string | null, string, string]>([
    ['a gap of a tag', {}, 'Filler.Speed', 'Filler.Speed: gap, the server’s queue overflowed', '10:12:31–10:12:36 (5 s) · 12 values lost'],
    ['a tag whose name is not known yet', {}, null, 'Tag 44: gap, the server’s queue overflowed', '10:12:31–10:12:36 (5 s) · 12 values lost'],
    ['a gap of a link', { kind: 'gapLinkDown', tag: null, lost: null }, null, 'line3: gap, the connection was down', '10:12:31–10:12:36 (5 s)'],
    ['a refused tag', { kind: 'itemRefused', fromMs: null, lost: null, status: 0x80340000 }, 'Filler.Speed', 'Filler.Speed: refused by the server', 'the server does not know this node'],
    ['a lost link in the adapter’s own words', { kind: 'linkDown', tag: null, fromMs: null, lost: null, status: 0x80050000, detail: 'The connection broke.' }, null, 'line3: connection lost', 'The connection broke.'],
    ['values read back', { kind: 'gapFilled', tag: null, lost: 1200 }, null, 'line3: gap, the server’s history was read', '10:12:31–10:12:36 (5 s) · 1 200 values read back'],
    ['a history without values', { kind: 'gapFilled', tag: null, lost: 0 }, null, 'line3: gap, the server’s history was read', '10:12:31–10:12:36 (5 s) · 0 values read back'],
    ['clocks that differ', { kind: 'clockSkewed', tag: null, fromMs: null, lost: null, detail: '+3.2' }, null, 'line3: its clock and this PC’s differ', '+3.2 s'],
    ['another server', { kind: 'failover', tag: null, fromMs: null, lost: null, detail: 'opc.tcp://b:4840/' }, null, 'line3: another server of the set took over', 'opc.tcp://b:4840/'],
    ['a start', { kind: 'started', connection: null, tag: null, fromMs: null, toMs: null, lost: null }, null, 'Lineside started', ''],
  ])('%s', (_, change, tag, title, detail) => {
    const notice = { ...NOTICE, ...change };
    expect(noticeWords(notice, notice.connection === null ? null : 'line3', tag, time)).toEqual({ title, detail });
  });
});
