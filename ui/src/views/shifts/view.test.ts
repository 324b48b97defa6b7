// Shifts, comparing and what-if on the mounted page: found, opened, kept, checked, exported, imported, compared.

import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fake } from '../../platform/fake';
import App from '../../shell/App.svelte';
import { Screen } from '../../shell/screen.svelte';
import { pair } from '../compare/pair.svelte';
import { pins } from '../compare/pins.svelte';

vi.mock('../../charts/output', async (original) => ({
  ...(await original<typeof import('../../charts/output')>()),
  mountOutput: () => ({ update: vi.fn(), resize: vi.fn(), destroy: vi.fn() }),
}));
vi.mock('../../charts/pair', () => ({ mountPair: () => ({ update: vi.fn(), resize: vi.fn(), destroy: vi.fn() }) }));
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
  pins.clear();
  Object.assign(pair, { a: null, b: null, shown: false, align: 'start' });
});

async function run(ms = 300) {
  await vi.advanceTimersByTimeAsync(ms);
  flushSync();
}

async function show(scenario = 'good') {
  screen = new Screen(fake(scenario));
  screen.start();
  app = mount(App, { target: document.body, props: { screen } });
  await run(500);
  await click('nav-shifts');
}

const all = (id: string) => [...document.querySelectorAll<HTMLElement>(`[data-testid="${id}"]`)];
const find = (id: string) => all(id)[0];
const text = (id: string) => find(id)?.textContent.trim().replace(/\s+/g, ' ') ?? null;
const rows = () => all('shift-row').map((row) => row.dataset['id']);

async function click(id: string, ms?: number) {
  find(id).click();
  await run(ms);
}

async function fill(id: string, value: string, event = 'input') {
  const field = find(id) as HTMLInputElement;
  field.value = value;
  field.dispatchEvent(new Event(event, { bubbles: true }));
  await run();
}

const EARLY = 'line3-2026-11-20-early.shift';

describe('the recorded shifts', () => {
  it('begin with the running one, and the chosen one is explained', async () => {
    await show();
    expect([text('shifts-count'), rows()[0]]).toEqual(['14 recordings', 'line3-2026-11-21-early.shift']);
    expect(text('shift-meaning')).toMatch(/^recording now\. It is being written/);
    expect(text('shifts-unreadable')).toContain('Otherwise move it out of the folder.');
    expect(text('shifts-store')).toContain('Older than 90 days');
  });

  it('are found, kept and opened without a mouse', async () => {
    await show();
    await fill('shifts-search', '2026-11-20 early');
    expect([rows(), text('shifts-count')]).toEqual([[EARLY], '1 of 14 recordings']);
    expect(find('shift-keep').getAttribute('aria-pressed')).toBe('true');
    await click('shift-keep');
    expect(find('shift-keep').getAttribute('aria-pressed')).toBe('false');
    find('shifts-search').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    await run(800);
    expect([screen.deck?.shift, text('mode')]).toEqual([EARLY, 'REPLAY']);
  });

  it('say what a check found', async () => {
    await show();
    await fill('shifts-search', 'damaged');
    await click('shift-check');
    expect(text('check-verdict')).toContain('Not whole.');
    expect(text('damage')).toMatch(/^16:30:00–16:45:00 ?86.412 inputs lost/);
  });

  it('take in files that are dropped', async () => {
    await show();
    const files = [new File([new Uint8Array(10)], 'line9.shift'), new File([new Uint8Array(10)], EARLY), new File(['x'], 'photo.png')];
    const event = new Event('drop', { bubbles: true, cancelable: true });
    Object.assign(event, { dataTransfer: { files } });
    find('shifts').dispatchEvent(event);
    await run(500);
    expect(all('upload').map((one) => one.dataset['state'])).toEqual(['done', 'known', 'refused']);
    expect(event.defaultPrevented).toBe(true);
  });

  it('are exported in part, and where the file lies is said', async () => {
    await show();
    await fill('shifts-search', '2026-11-20 early');
    await click('shift-export');
    await click('export-part');
    await fill('export-from', '15:00');
    expect((find('export-run') as HTMLButtonElement).disabled).toBe(true);
    await fill('export-from', '07:00');
    await click('export-csv');
    await click('export-run');
    expect(text('export-done')).toContain('line3-2026-11-20-early-export.csv');
    expect(find('export-download').getAttribute('href')).toBe('/exports/line3-2026-11-20-early-export.csv');
    await click('dialog-close');
    expect(find('export')).toBeUndefined();
  });

  it.each(['empty', 'first'])('that are none are said to be none (%s)', async (scenario) => {
    await show(scenario);
    expect(text('shifts-empty')).toContain('Nothing is recorded yet.');
  });
});

describe('two moments', () => {
  it('are set by hand, and what differs leads to its first change', async () => {
    await show();
    await screen.openRecording(EARLY);
    await run(500);
    await click('nav-compare');
    expect(text('compare-unset')).toContain('Set both moments');
    await fill('moment-a', '10:05', 'change');
    await fill('moment-b', '10:12:36', 'change');
    expect(all('difference').map((row) => row.dataset['key']).slice(0, 2)).toEqual(['unit-1-state', 'unit-1-speed']);
    await click('first-changed', 600);
    expect(screen.time.seconds(screen.playback?.positionMs ?? 0)).toBe('10:07:21');
    await fill('moment-b', '10:05', 'change');
    expect(text('compare-none')).toContain('Nothing differs');
    await click('b-next');
    expect(screen.time.seconds(pins.b ?? 0)).toBe('10:11:52');
    await click('pins-clear');
    expect(find('compare-unset')).toBeDefined();
  });

  it('need an open recording', async () => {
    await show();
    screen.view = 'compare';
    await run();
    expect(text('compare-view')).toContain('Open one in replay first.');
  });
});

describe('two shifts', () => {
  it('lie on one clock, unit by unit', async () => {
    await show();
    await click('shift-compare', 1500);
    expect([pair.a, pair.b]).toEqual(['line3-2026-11-21-early.shift', EARLY]);
    expect(all('pair-unit').map((unit) => unit.dataset['unit'])).toEqual(['Filler', 'Capper', 'Labeller', 'Packer', 'Palletizer']);
    find('pair-lanes').dispatchEvent(new KeyboardEvent('keydown', { key: 'End', bubbles: true }));
    await run(600);
    // The running shift has not come so far.
    expect([text('pair-row-a'), text('pair-row-b')]).toEqual([expect.stringContaining('not known'), expect.stringMatching(/^B Execute ?[\d\s]+$/)]);
    await click('align-moments');
    await fill('pair-time-b', '07:00', 'change');
    expect(pair.moments.b).toBe(Date.UTC(2026, 10, 20, 6));
  });
});

describe('what-if', () => {
  it('is named as such, and runs what was changed', async () => {
    await show();
    await fill('shifts-search', '2026-11-20 early');
    await click('shift-whatif', 1000);
    expect(text('whatif-sign')).toMatch(/^WHAT-IF .*Nothing of it is written to the recording/);
    expect((find('whatif-run') as HTMLButtonElement).disabled).toBe(true);
    await fill('parameter-field', '500');
    await click('whatif-run');
    expect(all('figure').map((row) => row.dataset['key'])).toEqual(['outputAgainstTarget-null']);
    await click('whatif-all');
    expect(all('figure').length).toBeGreaterThan(5);
    await fill('parameter-field', '450');
    expect(find('whatif-result').dataset['state']).toBe('outdated');
  });
});
