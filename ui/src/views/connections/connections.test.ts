// The Connections view: what is found, in words, and what is on the screen.

import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConnectionView, GapView, ReportView } from '../../generated/api';
import { PlantTime } from '../../kit/plant-time';
import { fake } from '../../platform/fake';
import { fakeConnections } from '../../platform/fake/connections';
import { START } from '../../platform/fake/plant';
import App from '../../shell/App.svelte';
import { Screen } from '../../shell/screen.svelte';
import { filledText, linkWords, refusedText } from './facts';
import { expiry, findingsOf, gravest } from './findings';

vi.mock('../../charts/output', async (original) => ({
  ...(await original<typeof import('../../charts/output')>()),
  mountOutput: () => ({ update: vi.fn(), resize: vi.fn(), destroy: vi.fn() }),
}));
vi.mock('uplot', () => ({ default: vi.fn() }));

const DAY = 86_400_000;
const time = new PlantTime('Europe/Berlin');
const GOOD = fakeConnections('good', START).connections[0];
const report = (change: Partial<ReportView>): ConnectionView => ({ ...GOOD, report: { ...(GOOD.report as ReportView), ...change } });
const flow = (change: Partial<ReportView['flow']>) => report({ flow: { ...(GOOD.report as ReportView).flow, ...change } });
const found = (connection: ConnectionView) => findingsOf(connection, connection.link, START, time).map(({ kind, weight }) => `${kind} ${weight}`);

describe('what is to be looked at', () => {
  it.each<[string, ConnectionView, string[]]>([
    ['nothing', GOOD, []],
    ['nothing is told', { ...GOOD, report: null }, []],
    ['server certificate in 29 days', report({ certificateExpiresMs: START + 29.5 * DAY }), ['serverCertificate warning']],
    ['server certificate in 30 days', report({ certificateExpiresMs: START + 30.5 * DAY }), []],
    ['own certificate in 6 days', report({ ownCertificateExpiresMs: START + 6.5 * DAY }), ['ownCertificate critical']],
    ['clock 2 s off', report({ clockSkewMs: -2_000 }), []],
    ['clock more than 2 s off', report({ clockSkewMs: -2_001 }), ['skew warning']],
    ['degraded', report({ serviceLevel: 199 }), ['level warning']],
    ['healthy', report({ serviceLevel: 200 }), []],
    ['shutting down', report({ shutdownS: 30, serverState: 'shutdown' }), ['shutdown warning']],
    ['suspended', report({ serverState: 'suspended' }), ['serverState warning']],
    ['a state that is not told', report({ serverState: 'unknown' }), []],
    ['no security', report({ security: 'None' }), ['security notice']],
    ['lost and overflowed', flow({ lost: 2, overflows: 1 }), ['lost warning', 'overflows notice']],
    ['refused', { ...GOOD, refused: [{ tag: 1, name: 'a', node: 'n', status: 0x80340000 }] }, ['refused warning']],
    ['some not good', { ...GOOD, link: { ...GOOD.link, doubtful: 3 } }, ['doubtful notice']],
    ['all not good while values are asked for', { ...GOOD, link: { ...GOOD.link, doubtful: 3, subscription: 'none' } }, []],
    ['a member that is gone', report({ members: [{ endpoint: 'x', role: 'unreachable', serviceLevel: null, detail: '' }] }), ['member warning']],
    ['late answers', report({ publishLateMs: 1_500 }), ['late notice']],
  ])('%s', (_, connection, kinds) => expect(found(connection)).toEqual(kinds));

  it('puts the gravest first', () => {
    expect(found(report({ certificateExpiresMs: START + DAY, clockSkewMs: 9_000, security: 'None' }))).toEqual([
      'serverCertificate critical', 'skew warning', 'security notice']);
    expect([gravest('calm', 'notice'), gravest('calm', 'critical'), gravest('critical', 'warning')]).toEqual(['calm', 'critical', 'critical']);
  });

  it.each([[-1, 'expired on 2026-11-21'], [3_600_000, 'ends today, until 2026-11-21'], [DAY, '1 day left, until 2026-11-22'], [400 * DAY, '400 days left, until 2027-12-26']])(
    'a certificate that ends in %d ms', (ms, text) => expect(expiry(START + ms, START, time).text).toBe(text));
});

describe('words', () => {
  const gap = (change: Partial<GapView>): GapView => ({
    tag: null, tagName: null, fromMs: 0, toMs: 1, reason: 'linkDown', lost: null, filled: 0, tagsFilled: 0, tagsWithout: 0, ...change,
  });

  it.each<[Partial<GapView>, string]>([
    [{}, 'not filled'], [{ tagsWithout: 3 }, 'not possible: no history'], [{ tagsFilled: 2, filled: 1 }, '1 value for 2 tags'],
    [{ tagsFilled: 2, filled: 0, tagsWithout: 5 }, '0 values for 2 tags; 5 have no history'],
  ])('a gap %j', (change, text) => expect(filledText(gap(change))).toBe(text));

  it.each([
    [0x80340000, /does not know this node/, /Correct the node/], [0x803a0000, /may not read/, /right/], [0x80db0000, /limit/, /Raise the limit/],
    [0x80ff0000, /code/, /on the server or in plant\.toml/],
  ])('a refusal %d', (status, reason, todo) => {
    expect(refusedText(status).reason).toMatch(reason);
    expect(refusedText(status).todo).toMatch(todo);
  });

  it.each([
    [{}, 'Connected', 'calm'], [{ subscription: 'none' }, 'Connected, values are being asked for', 'calm'],
    [{ subscription: 'late' }, 'Connected, but silent', 'warning'], [{ subscription: 'frozen' }, 'Connected, but values stand still', 'warning'],
    [{ state: 'down' }, 'No connection', 'critical'], [{ state: 'connecting' }, 'Connecting', 'notice'],
  ] as const)('a link %j', (change, title, weight) => {
    expect(linkWords({ ...GOOD.link, refused: 2, doubtful: 3, ...change })).toMatchObject({ title, weight });
  });
});

describe('on the screen', () => {
  let screen: Screen;
  let app: ReturnType<typeof mount>;

  beforeEach(() => {
    vi.useFakeTimers();
    localStorage.setItem('lineside.language', 'en');
  });

  afterEach(async () => {
    screen.stop();
    await unmount(app);
    vi.useRealTimers();
    document.body.replaceChildren();
    localStorage.clear();
  });

  async function show(scenario: string) {
    screen = new Screen(fake(scenario));
    screen.start();
    app = mount(App, { target: document.body, props: { screen } });
    await run(400);
    find('link-0')?.click();
    await run(400);
  }

  async function run(ms: number) {
    await vi.advanceTimersByTimeAsync(ms);
    flushSync();
  }

  const find = (id: string) => document.querySelector<HTMLElement>(`[data-testid="${id}"]`);
  const text = (id: string) => find(id)?.textContent.replace(/\s+/g, ' ').trim() ?? '';

  it('opens from the link in the header and says that all is well', async () => {
    await show('good');
    expect(text('connection-state')).toMatch(/line3.*Connected since 08:00:36.*Nothing is wrong/);
    expect(find('connections')?.textContent).not.toMatch(/undefined|NaN|\{/);
    expect([...document.querySelectorAll('[data-testid="gap-row"]')]).toHaveLength(3);
  });

  it('says what is down in the words of the connection', async () => {
    await show('linkdown');
    expect(find('connection-state')?.dataset['state']).toBe('down');
    expect(text('connection-state')).toMatch(/Nothing else is wrong/);
    expect(text('connection-state')).toMatch(/No connection since 10:11:45.*Detail from the connection: connection reset by peer/);
  });

  it('explains a refused tag with one touch, and closes again', async () => {
    await show('refused');
    expect(document.querySelectorAll('[data-testid="refused-row"]').length).toBe(13);
    document.querySelector<HTMLButtonElement>('[data-testid="refused-row"] button')?.click();
    await run(100);
    expect(text('why-sentence')).toMatch(/does not know this node/);
    window.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
    await run(10);
    expect(find('why')).toBeNull();
  });

  it('explains a figure of a unit from its card', async () => {
    await show('frozen');
    find('nav-line')?.click();
    await run(100);
    find('explain-unit')?.click();
    await run(100);
    expect(text('why-sentence')).toMatch(/heartbeat has stood still/);
    find('why-connection')?.click();
    await run(100);
    expect(text('connection-state')).toMatch(/values stand still/);
  });

  it('shows facts that were never told as not told', async () => {
    await show('unknown');
    expect(find('connections')?.textContent).toMatch(/No facts have been told yet/);
  });
});
