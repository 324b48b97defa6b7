// Setup: the way from an address to written lines, and that nothing typed is lost on the way.

import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApplyRequest, CertificateFinding, EndpointOffer } from '../../generated/api';
import { CallError, type Platform } from '../../platform';
import { fake } from '../../platform/fake';
import { PROPOSAL } from '../../platform/fake/setup';
import App from '../../shell/App.svelte';
import { Screen } from '../../shell/screen.svelte';
import { Draft } from './draft.svelte';
import { namesLike, rangeWith, textsFromText, textsToText } from './proposal';
import { Steps, usable } from './steps.svelte';
import { commonName, findingWords, gradeWords, securityWords, userProblem } from './words';

vi.mock('../../charts/output', async (original) => ({
  ...(await original<typeof import('../../charts/output')>()),
  mountOutput: () => ({ update: vi.fn(), resize: vi.fn(), destroy: vi.fn() }),
}));
vi.mock('uplot', () => ({ default: vi.fn() }));

/** The made-up server, with some commands answered otherwise. */
function platform(change: Partial<Record<string, (request: never) => Promise<unknown>>> = {}): { platform: Platform; asked: [string, unknown][] } {
  const made = fake('good');
  const asked: [string, unknown][] = [];
  const call = ((name: string, request: unknown) => {
    asked.push([name, request]);
    const other = change[name];
    return other === undefined ? made.call(name as 'hello', request as null) : other(request as never);
  }) as Platform['call'];
  return { platform: { ...made, call }, asked };
}

const steps = (of: Platform, names: string[] = [], fresh = false) => new Steps(of, { names: () => names, fresh: () => fresh });

describe('the steps', () => {
  it('go from an address to what would be written, and then write it', async () => {
    const { platform: of, asked } = platform();
    const way = steps(of, ['filler']);
    way.address = ' plc-filler.local ';
    await way.discover();
    expect([way.endpoint?.recommended, way.name]).toEqual([true, 'filler-2']);
    await way.decide(way.server?.certificate?.thumbprint ?? '', 'trust');
    expect(way.server?.certificate?.place).toBe('trusted');
    way.user = { kind: 'name', name: 'operator', password: 'secret', certificate: 'left over', key: '' };
    await way.connect();
    expect(way.step).toBe('browse');
    way.browser?.tick('a');
    await way.propose();
    await way.check();
    expect(way.step).toBe('write');
    await way.write();
    expect(way.written?.added.length).toBeGreaterThan(10);
    expect(asked.map(([name]) => name)).toEqual(['discover', 'trust', 'explore', 'browse', 'propose', 'apply', 'apply', 'close_exploration']);
    expect(asked[2][1]).toEqual({
      connection: null,
      draft: {
        name: 'filler-2', endpoint: 'opc.tcp://plc-filler.local:4840', security: 'best',
        user: { kind: 'name', name: 'operator', password: 'secret', certificate: '', key: '' },
      },
    });
    expect([(asked[5][1] as { dryRun: boolean }).dryRun, (asked[6][1] as { dryRun: boolean }).dryRun]).toEqual([true, false]);
  });

  it.each(['discover', 'trust', 'explore', 'propose', 'apply'])('keep everything when “%s” fails, say why, and go on from there', async (failing) => {
    let fails = true;
    const made = fake('good');
    const { platform: of } = platform({
      [failing]: (request) => (fails ? Promise.reject(new CallError('refused', 'not now')) : made.call(failing as 'hello', request as null)),
    });
    const way = steps(of);
    way.address = 'plc-filler.local';
    const all = async () => {
      if (way.discovery === null) await way.discover();
      if (way.server?.certificate?.place !== 'trusted') await way.decide(way.server?.certificate?.thumbprint ?? '', 'trust');
      if (failing === 'trust' && fails) return;
      if (way.browser === null) await way.connect();
      way.browser?.tick('a');
      if (way.draft === null) await way.propose();
      if (way.preview === null) await way.check();
    };
    if (failing === 'discover') await way.discover();
    else await all();
    expect(Object.values(way.errors)).toContain('not now');
    expect(way.address).toBe('plc-filler.local');
    expect(way.busy).toBeNull();
    fails = false;
    if (way.browser?.isTicked('a') === true) way.browser.tick('a');
    await all();
    expect(way.preview).not.toBeNull();
    expect(Object.values(way.errors).filter((text) => text !== undefined)).toEqual([]);
  });

  it('ask a new plant for its names, and send them when asking and when writing', async () => {
    const { platform: of, asked } = platform();
    const way = steps(of, [], true);
    expect(way.plant.timeZone).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
    await way.look(0);
    await way.propose();
    await way.check();
    way.plant.line = 'Line 3';
    await way.checkPlant();
    expect([way.step, way.preview?.problems]).toEqual(['write', []]);
    await way.write();
    const sent = asked.filter(([name]) => name === 'apply').map(([, request]) => request as ApplyRequest);
    expect(sent.map(({ plant, dryRun }) => [plant?.line, dryRun])).toEqual([['', true], ['Line 3', true], ['Line 3', false]]);
  });

  it('add values of a connected server without a new connection', async () => {
    const { platform: of, asked } = platform();
    const way = steps(of);
    await way.look(3);
    way.browser?.tick('a');
    await way.propose();
    await way.check();
    expect(asked[0]).toEqual(['explore', { connection: 3, draft: null }]);
    expect(asked.at(-1)?.[1]).toMatchObject({ connection: 3, draft: null, plant: null });
  });

  it('never log in with a way that gives the password away', () => {
    const offer = (change: Partial<EndpointOffer>): EndpointOffer => ({
      url: 'u', advertisedUrl: null, security: 'None', grade: 'none', recommended: false, users: [], ...change,
    });
    expect(usable(offer({ users: [{ kind: 'name', safe: false }, { kind: 'issued', safe: true }, { kind: 'anonymous', safe: true }] }))).toEqual(['anonymous']);
    expect(userProblem({ kind: 'name', safe: false })).toMatch(/in the clear/);
    const way = steps(platform().platform);
    way.user.kind = 'name';
    way.chooseEndpoint(offer({ users: [{ kind: 'name', safe: false }, { kind: 'anonymous', safe: true }] }));
    expect(way.user.kind).toBe('anonymous');
  });
});

describe('the tree', () => {
  it('reads on page by page, marks what a ticked branch takes, and searches until something is found', async () => {
    const { platform: of } = platform();
    const way = steps(of);
    await way.look(0);
    const browser = way.browser;
    if (browser === null) throw new Error('no browser');
    const names = () => browser.rows.map((row) => (row.kind === 'node' ? row.view.name : row.kind));
    expect(names()).toEqual(['Server', 'Machines', 'Diagnostics', 'Reset']);
    const open = async (name: string) => {
      const row = browser.rows.find((one) => one.kind === 'node' && one.view.name === name);
      if (row?.kind !== 'node') throw new Error(name);
      await browser.open(row.view.node);
      return row.view;
    };
    await open('Machines');
    const filler = await open('Filler');
    expect(names().filter((name) => name === 'more')).toHaveLength(1);
    const before = browser.rows.length;
    await browser.more(filler.node);
    expect(browser.rows.length).toBeGreaterThan(before);
    browser.tick(filler.node);
    expect(browser.rows.filter((row) => row.kind === 'node' && row.inherited).length).toBeGreaterThan(10);
    expect(browser.picked()).toEqual([filler.node]);
    browser.text = 'speed';
    await browser.search();
    expect(names()).toEqual(['Speed', 'Speed', 'Speed']);
    expect([browser.found?.visited, browser.found?.more]).toEqual([1_000, '1']);
    await browser.searchMore();
    expect([browser.found?.visited, browser.found?.more]).toEqual([1_412, null]);
  });

  it('shows no old value as the present one', async () => {
    const { platform: of } = platform({ preview: () => Promise.reject(new CallError('refused', 'the session is closed')) });
    const way = steps(of);
    await way.look(0);
    await way.browser?.pick({ node: 'n', name: 'Speed', class: 'variable', typeName: '', children: false, recognised: null, path: [], tag: null });
    expect(way.browser?.value).not.toBeNull();
    await way.browser?.refresh();
    expect([way.browser?.value, way.browser?.detailsError]).toEqual([null, 'the session is closed']);
  });
});

describe('the proposal', () => {
  const draft = () => new Draft(structuredClone(PROPOSAL));

  it('leaves what is known alone, and a new name reaches the unit', () => {
    const made = draft();
    expect([made.tagCount, made.unitCount, made.problems]).toEqual([13, 1, 0]);
    made.rename(2, 'Filler.Tempo');
    expect(made.taken().units[0].speed).toBe('Filler.Tempo');
    expect(made.taken().tags.some(({ known }) => known)).toBe(false);
  });

  it('finds what cannot be written', () => {
    const made = draft();
    made.rename(0, '');
    made.change(1, { name: 'Filler.Speed' });
    made.change(5, { range: [10, NaN] });
    made.change(6, { range: [10, 5] });
    expect(made.tagProblems.slice(0, 7)).toEqual(['noName', 'twice', 'twice', null, null, 'range', 'range']);
    made.take(1, false);
    expect(made.tagProblems[2]).toBeNull();
    expect(made.unitProblemOf(made.units[0])).toBe('missing');
  });

  it('brings units into the order of the line; those in plant.toml already stay first', () => {
    const [unit] = PROPOSAL.units;
    const units = [unit, { ...unit, name: 'Packer' }, { ...unit, name: 'Rinser', known: true }, { ...unit, name: 'Capper' }];
    const made = new Draft({ ...structuredClone(PROPOSAL), units });
    const names = () => made.units.map((row) => row.unit.name);
    expect(names()).toEqual(['Rinser', 'Filler', 'Packer', 'Capper']);
    expect([0, 1, 2, 3].map((index) => [made.canMove(index, -1), made.canMove(index, 1)])).toEqual([[false, false], [false, true], [true, true], [true, false]]);
    made.move(3, -1);
    made.move(1, -1);
    expect(made.taken().units.map(({ name }) => name)).toEqual(['Filler', 'Capper', 'Packer']);
  });

  it('finds the one name that is there twice among 50,000', () => {
    const [, , tag] = PROPOSAL.tags;
    const made = new Draft({ notes: [], units: [], tags: Array.from({ length: 50_000 }, (_, i) => ({ ...tag, name: `Tag${i}` })) });
    expect(made.problems).toBe(0);
    made.rename(49_999, 'Tag7');
    expect([made.problems, made.tagProblems[7], made.tagProblems[49_999]]).toEqual([2, 'twice', 'twice']);
    made.takeAll(false);
    expect([made.tagCount, made.problems]).toEqual([0, 0]);
  });

  it.each<[[number, number] | null, 0 | 1, string, [number, number] | null]>([
    [null, 0, '1,5', [1.5, NaN]], [[1, 2], 1, '', [1, NaN]], [[1, NaN], 0, '', null], [[1, 2], 1, '9', [1, 9]],
  ])('range %j, end %i, “%s”', (range, end, text, expected) => expect(rangeWith(range, end, text)).toEqual(expected));

  it('suggests tags, those that begin as typed first', () => {
    expect(namesLike(['Capper.Speed', 'Speed.Limit', 'Filler.State'], ' speed', 2)).toEqual(['Speed.Limit', 'Capper.Speed']);
  });

  it('reads texts back as they are shown', () => {
    const texts = [{ value: -1, text: 'Fault' }, { value: 6, text: 'Execute' }];
    expect(textsToText(texts)).toBe('-1 = Fault, 6 = Execute');
    expect(textsFromText('-1 = Fault, 6: Execute; nonsense')).toEqual(texts);
  });
});

describe('words', () => {
  it.each([
    ['Aes256Sha256RsaPss/SignAndEncrypt', 'Signed and encrypted', 'Aes256Sha256RsaPss'], ['Basic256/Sign', 'Signed, not encrypted', 'Basic256'],
    ['None', 'Unprotected', ''],
  ])('%s', (security, mode, policy) => expect(securityWords(security)).toEqual({ mode, policy }));

  it.each([
    ['strong', 'Aes256/SignAndEncrypt', /Nobody can read or change/], ['strong', 'Aes256/Sign', /but anyone in the network can read/],
    ['weak', 'Basic256/Sign', /broken/], ['none', 'None', /read and change/],
  ] as const)('%s %s', (grade, security, meaning) => {
    expect(gradeWords({ url: '', advertisedUrl: null, security, grade, recommended: false, users: [] }).long).toMatch(meaning);
  });

  const finding = (status: number, side: CertificateFinding['side']): CertificateFinding => ({ status, side, problem: 'p', remedy: 'r', blocks: true });

  it.each<[number, CertificateFinding['side'], RegExp, RegExp]>([
    [0x801a0000, 'server', /Lineside does not trust/, /Compare the thumbprint/], [0x801a0000, 'lineside', /server does not trust Lineside/, /Bring/],
    [0x80140000, 'server', /not valid now/, /clocks/], [0x80160000, 'server', /another host name/, /host names/],
    [0x80170000, 'server', /another application/, /application URI/], [0x801d0000, 'server', /revoked/, /Do not trust/],
    [0x81140000, 'server', /too weak/, /2,048/], [0x80180000, 'server', /not meant for this use/, /uses/],
    [0x80ff0000, 'server', /Code 0x80FF0000/, /^r$/],
  ])('finding %d at %s', (status, side, title, todo) => {
    expect(findingWords(finding(status, side)).title).toMatch(title);
    expect(findingWords(finding(status, side)).todo).toMatch(todo);
  });

  it.each([['CN=Filler, O=Acme', 'Filler'], ['O=Acme/CN=Filler', 'Filler'], ['O=Acme', 'O=Acme']])('%s', (subject, name) => {
    expect(commonName(subject)).toBe(name);
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

  async function show(scenario: string, ms = 400) {
    screen = new Screen(fake(scenario));
    screen.start();
    app = mount(App, { target: document.body, props: { screen } });
    await run(ms);
  }

  async function run(ms = 100) {
    await vi.advanceTimersByTimeAsync(ms);
    flushSync();
  }

  const find = (id: string) => document.querySelector<HTMLElement>(`[data-testid="${id}"]`);
  const press = async (id: string) => {
    find(id)?.click();
    await run();
  };

  async function discover(address: string) {
    const input = find('setup-address') as HTMLInputElement;
    input.value = address;
    input.dispatchEvent(new Event('input', { bubbles: true }));
    flushSync();
    find('setup-address')?.closest('form')?.dispatchEvent(new SubmitEvent('submit', { bubbles: true, cancelable: true }));
    await run();
  }

  it('opens by itself where nothing is configured', async () => {
    await show('first');
    expect(find('setup')?.textContent).toMatch(/Connect your first server/);
  });

  it('says calmly that nothing ticked has a value, and leads back', async () => {
    await show('good');
    await press('nav-setup');
    await screen.setup.look(0);
    screen.setup.tickedNames = ['Aliases'];
    screen.setup.draft = new Draft({ notes: [], units: [], tags: [] });
    screen.setup.step = 'proposal';
    flushSync();
    expect(find('proposal-empty')?.textContent).toBe('Nothing under Aliases can be read as a value. Tick another branch.');
    await press('proposal-back');
    expect(screen.setup.step).toBe('browse');
  });

  it('asks what a new line is called', async () => {
    await show('first');
    await screen.setup.look(0);
    await screen.setup.propose();
    await screen.setup.check();
    flushSync();
    const area = find('plant-area') as HTMLInputElement;
    area.value = 'Bottling';
    area.dispatchEvent(new Event('input', { bubbles: true }));
    area.dispatchEvent(new Event('change', { bubbles: true }));
    await run();
    expect(find('setup-lines')?.textContent).toMatch(/area = "Bottling"/);
  });

  it('says in a replay why nothing can be set up', async () => {
    await show('good');
    screen.replay = true;
    screen.view = 'setup';
    flushSync();
    expect(find('setup-off')?.textContent).toMatch(/cannot touch the plant/);
    expect(find('setup-address')).toBeNull();
  });

  it('says what is wrong with an address, and keeps it', async () => {
    await show('good');
    await press('nav-setup');
    await discover('nowhere');
    expect(find('setup-problem')?.textContent).toMatch(/No answer from nowhere:4840/);
    expect((find('setup-address') as HTMLInputElement).value).toBe('nowhere');
    await press('nav-line');
    await press('nav-setup');
    expect((find('setup-address') as HTMLInputElement).value).toBe('nowhere');
  });

  it('marks weak ways, asks for a decision about the certificate, and shows the lines at the end', async () => {
    await show('good');
    await press('nav-setup');
    await discover('plc-filler.local');
    expect([...document.querySelectorAll<HTMLElement>('[data-testid="endpoint"]')].map((row) => row.dataset['grade'])).toEqual(['strong', 'accepted', 'weak', 'none']);
    await press('setup-next');
    expect((find('setup-connect') as HTMLButtonElement).disabled).toBe(true);
    expect(document.querySelectorAll('[data-testid="finding"]')).toHaveLength(2);
    await press('trust');
    await press('setup-connect');
    expect(find('step-browse')?.getAttribute('aria-current')).toBe('step');
    screen.setup.browser?.tick('x');
    flushSync();
    await press('setup-propose');
    expect(screen.setup.draft?.tags).toHaveLength(14);
    // A page without a height shows no more rows than those that lie ready below its edge.
    expect(document.querySelectorAll('[data-testid="proposal-tag"]')).toHaveLength(6);
    expect(find('plant-names')).toBeNull();
    await press('setup-check');
    expect(find('setup-lines')?.textContent).toMatch(/\[\[connection\]\][^]*\[\[unit\]\][^]*\[\[tag\]\]/);
    await press('setup-write');
    expect(find('setup-written')?.textContent).toMatch(/Written to/);
    await press('setup-show');
    expect(find('nav-line')?.getAttribute('aria-current')).toBe('page');
    expect(document.body.textContent).not.toMatch(/undefined|NaN|\{\w+\}/);
  });
});
