// Whoever changes the language sees the page as if it had been opened in it: no text stays behind.

import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fake } from '../platform/fake';
import App from './App.svelte';
import { Screen, type ViewName } from './screen.svelte';

vi.mock('../charts/output', async (original) => ({
  ...(await original<typeof import('../charts/output')>()),
  mountOutput: () => ({ update: vi.fn(), resize: vi.fn(), destroy: vi.fn() }),
}));
vi.mock('uplot', () => ({ default: vi.fn() }));

let undo: (() => Promise<void>) | undefined;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(async () => {
  await undo?.();
  undo = undefined;
  vi.useRealTimers();
});

async function run(ms = 1_000): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  flushSync();
}

/** Everything that is read out or seen, in the order of the page. */
function words(): string[] {
  const found: string[] = [];
  for (const element of document.body.querySelectorAll('*')) {
    for (const name of ['aria-label', 'title', 'placeholder']) found.push(element.getAttribute(name) ?? '');
    for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) found.push(node.textContent ?? '');
  }
  return found.map((text) => text.replace(/\s+/g, ' ').trim()).filter((text) => text !== '');
}

async function open(language: 'en' | 'de', scenario: string, view: ViewName, explain: boolean): Promise<Screen> {
  localStorage.setItem('lineside.language', language);
  const screen = new Screen(fake(scenario));
  screen.start();
  const app = mount(App, { target: document.body, props: { screen } });
  undo = async () => {
    screen.stop();
    await unmount(app);
    document.body.replaceChildren();
    localStorage.clear();
  };
  await run();
  screen.view = view;
  if (explain) screen.explain(0);
  await run();
  return screen;
}

describe('the language', () => {
  it.each<[string, ViewName, boolean]>([
    ['good', 'line', false], ['linkdown', 'line', true], ['refused', 'tags', true], ['troubled', 'connections', false], ['frozen', 'connections', false],
    ['good', 'setup', false], ['first', 'setup', false], ['problems', 'line', false], ['silent', 'line', false],
  ])('%s, %s: changed on the way, nothing stays in the other', async (scenario, view, explain) => {
    const changed = await open('en', scenario, view, explain);
    const english = words();
    await run(2_000);
    changed.toggleLanguage();
    await run(2_000);
    const after = words();
    await undo?.();
    const fresh = await open('de', scenario, view, explain);
    await run(4_000);
    expect(fresh.language).toBe('de');
    expect(after).not.toEqual(english);
    expect(after).toEqual(words());
  });
});
