// Replay mounted with made-up recordings: two sessions on one page, the way in and out, keys, times, bookmarks.

import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Commands } from '../generated/api';
import { CallError, type Platform } from '../platform';
import { fake } from '../platform/fake';
import { START } from '../platform/fake/plant';
import { RUNNING } from '../platform/fake/recordings';
import App from '../shell/App.svelte';
import { Screen } from '../shell/screen.svelte';
import { pins } from '../views/compare/pins.svelte';

vi.mock('../charts/output', async (original) => ({
  ...(await original<typeof import('../charts/output')>()),
  mountOutput: () => ({ update: vi.fn(), resize: vi.fn(), destroy: vi.fn() }),
}));
vi.mock('uplot', () => ({ default: vi.fn() }));

const YESTERDAY = 'line3-2026-11-20-early.shift';
const at = (time: string, day = 20) => Date.parse(`2026-11-${day}T${time}+01:00`);

let screen: Screen;
let app: ReturnType<typeof mount>;
let asked: { name: keyof Commands; request: unknown }[];
/** Answers instead of the made-up plant's. */
let instead: Partial<Record<keyof Commands, (request: never) => unknown>>;

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.setItem('lineside.language', 'en');
  asked = [];
  instead = {};
  pins.clear();
});

afterEach(async () => {
  screen.stop();
  await unmount(app);
  vi.useRealTimers();
  document.body.replaceChildren();
  localStorage.clear();
});

function listening(made: Platform): Platform {
  const call = ((name: keyof Commands, request: unknown) => {
    asked.push({ name, request });
    const other = instead[name];
    return other === undefined ? made.call(name as 'hello', request as null) : Promise.resolve().then(() => other(request as never));
  }) as Platform['call'];
  return { ...made, call };
}

async function show(scenario = 'good') {
  screen = new Screen(listening(fake(scenario)));
  screen.start();
  app = mount(App, { target: document.body, props: { screen } });
  await run(600);
}

async function run(ms: number) {
  await vi.advanceTimersByTimeAsync(ms);
  flushSync();
}

async function replay(time: string, scenario = 'good') {
  await show(scenario);
  void screen.openRecording(YESTERDAY, at(time));
  await run(700);
}

const find = (id: string) => document.querySelector<HTMLElement>(`[data-testid="${id}"]`);
const text = (id: string) => find(id)?.textContent.trim().replace(/\s+/g, ' ') ?? null;
const events = () => [...document.querySelectorAll('[data-testid="events"] time')].map((time) => time.textContent);
/** Whole ms: an event is stood on a hair after it. */
const position = () => Math.floor(screen.deck?.position ?? NaN);
const of = (name: keyof Commands) => asked.filter((one) => one.name === name);

async function press(key: string, more: KeyboardEventInit = {}, target: Element = document.body) {
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }));
  await run(400);
}

async function type(id: string, value: string) {
  const field = find(id) as HTMLInputElement;
  field.value = value;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  field.closest('form')?.dispatchEvent(new SubmitEvent('submit', { bubbles: true, cancelable: true }));
  await run(400);
}

describe('a replay', () => {
  it('cannot be taken for the plant, and shows the recorded moment', async () => {
    await replay('07:12:10');
    expect([text('mode'), text('clock'), document.querySelector('.app')?.classList.contains('replay')]).toEqual(['REPLAY', '07:12:10 CET', true]);
    expect(text('position')).toContain('2026-11-20');
    expect(find('replay-file')?.dataset['look']).toBe('equal');
    expect(document.querySelector('[data-testid="unit-1"] [data-testid="state"]')?.textContent).toContain('Held');
    expect(find('recorder')).toBeNull();
  });

  it('keeps the troubles of the plant in sight, which goes on beside it', async () => {
    await replay('08:00', 'linkdown');
    expect(find('banner')?.dataset['condition']).toBe('none');
    expect([text('live-now'), find('live-now')?.dataset['weight']]).toEqual(['Live now: line3: no connection', 'critical']);
    const frames = screen.opener.beside?.at ?? 0;
    await run(2_000);
    expect(screen.opener.beside?.at).toBeGreaterThan(frames);
  });

  it('says that all is well at the plant when it is', async () => {
    await replay('08:00');
    expect([text('live-now'), find('live-now')?.dataset['weight']]).toEqual(['Live now: all well', 'calm']);
  });

  it('leads back to where somebody was, without asking the plant anew', async () => {
    await show();
    screen.openTags('notGood', 'filler');
    await run(300);
    void screen.openRecording(YESTERDAY, at('08:00'));
    await run(700);
    screen.openTags('all');
    screen.view = 'line';
    await run(300);
    const greeted = of('hello').length;
    find('back-to-live')?.click();
    await run(700);
    expect([screen.view, screen.search, screen.filter, screen.deck, text('mode')]).toEqual(['tags', 'filler', 'notGood', null, 'LIVE']);
    expect(of('hello')).toHaveLength(greeted);
    expect(of('close').map(({ request }) => request)).toEqual([{ epoch: 101 }]);
    expect(screen.now).toBeGreaterThanOrEqual(START);
  });

  it('offers nothing that acts on the plant', async () => {
    await replay('08:00');
    find('nav-setup')?.click();
    await run(200);
    expect([find('setup'), text('setup-off')]).toEqual([null, expect.stringContaining('cannot touch the plant')]);
  });

  it('forgets what came along the way when it jumps', async () => {
    await replay('13:30');
    expect(events().length).toBeGreaterThan(10);
    screen.deck?.seek(at('06:30'));
    await run(500);
    expect(events()).toHaveLength(3);
    expect(events().every((time) => (time ?? '') < '06:30')).toBe(true);
  });

  it('opens at once the file that the program was started with, also without a plant', async () => {
    await show('file');
    await run(700);
    expect([text('mode'), text('live-now')]).toEqual(['REPLAY', 'Live now: no plant']);
    await press('l');
    expect([text('mode'), screen.deck, find('setup') !== null]).toEqual([null, null, true]);
  });

  it('says why a recording was not opened, and stays at the plant', async () => {
    await show();
    void screen.openRecording('line9.shift');
    await run(300);
    expect([text('open-failure'), text('mode')]).toEqual([expect.stringContaining('There is no recording line9.shift.'), 'LIVE']);
  });

  it('opens again where it stood when the program has closed it', async () => {
    await replay('09:00');
    const epoch = screen.epoch;
    await screen.platform.call('close', { epoch });
    await run(1_500);
    expect([screen.deck?.epoch, position(), text('mode')]).toEqual([epoch + 1, at('09:00'), 'REPLAY']);
  });

  it('follows the running shift, and its time bar grows', async () => {
    await show();
    void screen.openRecording(RUNNING, at('10:00', 21));
    await run(700);
    await press('End');
    await run(7_000);
    expect(screen.playback).toMatchObject({ following: true, growing: true });
    expect(of('timeline').length).toBeGreaterThan(1);
  });
});

describe('the controls', () => {
  it.each<[string, KeyboardEventInit, number]>([
    ['ArrowRight', {}, 1_000], ['ArrowLeft', {}, -1_000], ['ArrowRight', { shiftKey: true }, 10_000], ['ArrowLeft', { altKey: true }, -100],
  ])('%s %j moves by %i ms', async (key, more, by) => {
    await replay('08:00');
    await press(key, more);
    expect(position()).toBe(at('08:00') + by);
  });

  it('plays, says what speed is reached, and pauses', async () => {
    await replay('08:00');
    find('speed-60')?.click();
    await press(' ');
    await run(1_000);
    expect(position()).toBeGreaterThan(at('08:00:45'));
    find('speed-0')?.click();
    await run(400);
    expect(text('position')).toContain('max, reaches 740×');
    await press(' ');
    const stood = position();
    await run(1_000);
    expect([position(), text('position')]).toEqual([stood, expect.stringContaining('paused')]);
  });

  it('goes to the next and the previous stop, and says when there is none', async () => {
    await replay('06:00');
    await press('n');
    expect([position(), text('replay-said')]).toEqual([at('06:44:00'), '06:44:00 · Stop']);
    await press('n');
    expect(position()).toBe(at('07:12:00'));
    await press('p');
    expect(position()).toBe(at('06:44:00'));
    await press('p');
    expect([position(), text('replay-said')]).toEqual([at('06:44:00'), 'None back to the beginning: Stop']);
  });

  it('stops at what it found: at 600 times real time it would be gone', async () => {
    await replay('06:00');
    screen.deck?.setSpeed(600);
    await press(' ');
    await press('n');
    await run(1_000);
    expect([screen.playback?.playing, position()]).toEqual([false, at('06:44:00')]);
  });

  it.each([['a field', 'INPUT'], ['a list', 'SELECT']])('leaves keys alone that are typed into %s', async (_, tag) => {
    await replay('08:00');
    const field = document.body.appendChild(document.createElement(tag));
    await press('l', {}, field);
    await press(' ', {}, field);
    expect([text('mode'), screen.playback?.playing]).toEqual(['REPLAY', false]);
  });

  it('finds a condition, and says when it does not come', async () => {
    await replay('06:00');
    const { deck } = screen;
    const speed = { tag: 9, op: 'below' as const, value: 1, forMs: 5_000 };
    expect(await deck?.findCondition(speed, true)).toBe(at('06:44:00'));
    await run(200);
    expect(position()).toBe(at('06:44:00'));
    expect(await deck?.findCondition({ ...speed, value: -1 }, true)).toBeNull();
  });

  it('takes a typed time, and says what is wrong with another', async () => {
    await replay('08:00');
    await press('t');
    await type('time-field', '15:00');
    expect(text('time-problem')).toBe('The recording goes from 06:00:00 to 14:00:00.');
    await type('time-field', '10:12:36.4');
    expect([position(), find('time-field')]).toEqual([at('10:12:36.400'), null]);
  });

  it('goes to the time of an event that is pressed', async () => {
    await replay('10:00');
    document.querySelector<HTMLElement>('[data-testid="events"] [data-kind="linkDown"]')?.click();
    await run(400);
    expect(position()).toBe(at('09:26:00'));
  });

  it('pins two moments for the comparison', async () => {
    await replay('08:00');
    await press('a');
    await press('ArrowRight');
    await press('A', { shiftKey: true });
    expect([pins.shift, pins.a, pins.b]).toEqual([YESTERDAY, at('08:00'), at('08:00:01')]);
  });

  it('has one seek in flight and never more than 30 a second while somebody drags', async () => {
    await replay('06:00');
    const before = of('play').length;
    for (let i = 0; i < 100; i++) {
      screen.deck?.scrub(at('06:00') + i * 60_000);
      await run(10);
    }
    await run(200);
    expect(of('play').length - before).toBeLessThanOrEqual(32);
    expect([position(), screen.deck?.wanted]).toEqual([at('06:00') + 99 * 60_000, null]);
  });

  it('shows the failure of a command', async () => {
    await replay('08:00');
    instead.play = () => {
      throw new CallError('internal', 'the file is gone');
    };
    await press('ArrowRight');
    expect(text('replay-said')).toBe('That did not work: the file is gone');
  });
});

describe('a bookmark', () => {
  it('is of the position in a replay, shows on the bar, and can be removed', async () => {
    await replay('07:00:00');
    await press('b');
    expect(text('mark-dialog')).toContain('Bookmark at 07:00:00');
    await type('mark-text', 'cap jammed');
    expect(find('mark-dialog')).toBeNull();
    expect(screen.deck?.timeline?.marks.map((mark) => [mark.atMs, mark.text])).toContainEqual([at('07:00'), 'cap jammed']);
    const mark = screen.deck?.timeline?.marks.find(({ text }) => text === 'cap jammed');
    if (mark !== undefined) await screen.deck?.unmark(mark);
    await run(300);
    expect(screen.deck?.timeline?.marks.some(({ text }) => text === 'cap jammed')).toBe(false);
  });

  it('is of 15 s ago at the plant', async () => {
    await show();
    const now = START;
    await press('b');
    await type('mark-text', '');
    expect(of('mark')[0].request).toMatchObject({ epoch: 1, text: '', untilMs: null });
    const { atMs } = of('mark')[0].request as { atMs: number };
    expect(atMs).toBeGreaterThanOrEqual(now - 15_000);
    expect(atMs).toBeLessThan(now - 13_000);
    expect(text('mark-done')).toContain('Bookmark at 10:12:2');
  });

  it('says why it was not saved, and keeps the text', async () => {
    await replay('07:00');
    await press('b');
    await type('mark-text', 'fail');
    expect(text('mark-problem')).toBe(`Not saved: ${YESTERDAY} cannot be written: it is read-only.`);
    expect((find('mark-text') as HTMLInputElement).value).toBe('fail');
  });
});
