// The Line view mounted with made-up plants: what must be on the screen, and what must not.

import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import App from '../../shell/App.svelte';
import { Screen } from '../../shell/screen.svelte';
import { fake } from '../../platform/fake';

vi.mock('../../charts/output', async (original) => ({
  ...(await original<typeof import('../../charts/output')>()),
  // No canvas here; the pictures are looked at in a browser.
  mountOutput: () => ({ update: vi.fn(), resize: vi.fn(), destroy: vi.fn() }),
}));
vi.mock('uplot', () => ({ default: vi.fn() }));

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

async function show(scenario: string, ms = 600) {
  screen = new Screen(fake(scenario));
  screen.start();
  app = mount(App, { target: document.body, props: { screen } });
  await run(ms);
}

async function run(ms: number) {
  await vi.advanceTimersByTimeAsync(ms);
  flushSync();
}

const find = (id: string, within: ParentNode = document) => within.querySelector<HTMLElement>(`[data-testid="${id}"]`);
const text = (id: string, within: ParentNode = document) => find(id, within)?.textContent.trim().replace(/\s+/g, ' ') ?? null;
const cards = () => [...document.querySelectorAll('[data-testid^="unit-"]')];

describe('Line view', () => {
  it('shows a good line without a single doubt', async () => {
    await show('good');
    expect(cards()).toHaveLength(5);
    for (const card of cards()) {
      expect(text('state', card)).toBe('Execute');
      expect(text('rate', card)).toMatch(/^\d{3}$/);
      expect(find('trust', card)).toBeNull();
    }
    expect([text('mode'), text('simulated')]).toEqual(['LIVE', 'SIMULATED']);
    expect(text('clock')).toMatch(/^10:12:3\d CET$/);
    expect(find('banner')?.dataset['condition']).toBe('none');
    expect(text('recorder')).toMatch(/^Recording 4h 12m$/);
    expect(document.body.textContent).not.toMatch(/OEE|undefined|NaN|\{/);
  });

  it('does not say SIMULATED of a real plant', async () => {
    await show('real');
    expect(find('simulated')).toBeNull();
  });

  it('outlines the constraint unit that stands, and says what it costs', async () => {
    await show('stopped');
    expect([find('unit-1')?.dataset['standing'], find('unit-2')?.dataset['standing']]).toEqual(['true', 'false']);
    expect(text('attention')).toMatch(/Capper: Aborted for 4\d s ?The line makes nothing while it stands/);
  });

  it('lets no figure look good when the link is down', async () => {
    await show('linkdown');
    for (const card of cards()) {
      expect(text('trust', card)).toBe('no connection');
      expect(card.querySelector('.rate')?.className).toContain('stale');
      expect(card.querySelector('.since')).toBeNull();
      expect(card.querySelector('.live')).toBeNull();
    }
    expect(find('link-0')?.dataset['state']).toBe('down');
    expect(text('banner')).toMatch(/line3: no connection since 10:11:45 · 5\d s/);
  });

  it('says which figure the server refused, and shows dashes for it', async () => {
    await show('refused');
    const card = find('unit-2') as HTMLElement;
    expect(text('trust', card)).toBe('speed: refused by server');
    expect(text('rate', card)).toBe('– –');
    expect(text('state', card)).toBe('Execute');
    expect(text('attention')).toMatch(/line3: 13 tags refused/);
  });

  it('shows what is not known as unknown', async () => {
    await show('unknown');
    for (const card of cards()) {
      expect([text('state', card), text('rate', card), text('trust', card)]).toEqual(['Unknown', '– –', 'waiting for first value']);
    }
    expect(document.body.textContent).toContain('Waiting for the first count of this shift.');
  });

  it('tells how to add units where there are none', async () => {
    await show('empty');
    expect(cards()).toHaveLength(0);
    expect(text('no-units')).toMatch(/No units are configured\. Add a \[\[unit\]\]/);
  });

  it('lists what is wrong with the configuration', async () => {
    await show('problems');
    expect(find('problems')?.querySelectorAll('[data-testid="problem"]')).toHaveLength(2);
    expect(text('problems')).toMatch(/plant\.toml, line 14, column 8/);
  });

  it('shows the plant in spite of a problem at the start, which one step leads to', async () => {
    await show('warned');
    expect([cards().length, find('problems')]).toEqual([5, null]);
    expect(find('banner')?.dataset['condition']).toBe('problems');
    document.querySelector<HTMLButtonElement>('[data-condition="problems"] button')?.click();
    flushSync();
    expect(text('problem')).toMatch(/line 14/);
    find('problems-continue')?.click();
    flushSync();
    expect(cards()).toHaveLength(5);
  });

  it('lets nothing look alive when the backend is dead', async () => {
    await show('silent', 6_000);
    expect(text('mode')).toBe('NO ANSWER');
    expect(find('banner')?.dataset['condition']).toBe('noAnswer');
    for (const card of cards()) {
      expect(text('trust', card)).toBe('not current');
      expect(card.querySelector('.live')).toBeNull();
    }
    expect(text('clock')).toMatch(/stopped$/);
    expect(document.body.textContent).not.toContain('Nothing needs you now');
  });

  it('changes the language, and remembers it', async () => {
    await show('stopped');
    find('language')?.click();
    flushSync();
    expect(text('state', find('unit-1') as HTMLElement)).toBe('Abbruch');
    expect(localStorage.getItem('lineside.language')).toBe('de');
    expect(document.documentElement.lang).toBe('de');
  });

  it('changes the theme, and remembers it', async () => {
    await show('good');
    const before = document.documentElement.dataset['theme'];
    find('theme')?.click();
    flushSync();
    expect(document.documentElement.dataset['theme']).not.toBe(before);
    expect(localStorage.getItem('lineside.theme')).toBe(document.documentElement.dataset['theme']);
  });
});

describe('Tags view', () => {
  it('opens from a refused tag with the right filter, and says why', async () => {
    await show('refused');
    document.querySelector<HTMLButtonElement>('[data-condition="refused"] button')?.click();
    await run(2_500);
    expect(text('tags-count')).toBe('13 of 1 200');
    expect(find('tags-filter-refused')?.getAttribute('aria-pressed')).toBe('true');
  });

  it('searches all words', async () => {
    await show('good');
    find('nav-tags')?.click();
    await run(500);
    const input = find('tags-search') as HTMLInputElement;
    input.value = 'bearing station07 capper';
    input.dispatchEvent(new Event('input', { bubbles: true }));
    await run(500);
    expect(text('tags-count')).toBe('1 of 1 200');
    expect(find('tag-row')?.dataset['tagName']).toBe('Capper.Station07.BearingTemp');
    expect(text('tag-quality')).toBe('Good');
  });
});
