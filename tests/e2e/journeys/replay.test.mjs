// What happened is looked at again: the running shift is opened, gone through, marked, compared and asked, while the plant
// stays in sight.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configuration, plant } from '../support/programs.mjs';
import { proxy } from '../support/proxy.mjs';
import { openScreen } from '../support/screen.mjs';

const BACK_MS = 60_000;

const allLive = (page) => page.replay === null && page.units.length > 0 && page.units.every((unit) => unit.trust === 'live');
const paused = (page) => page.replay !== null && !page.replay.playing;
const atBegin = (page) => page.replay !== null && !page.replay.playing && Math.abs(page.replay.position - page.replay.from) < 1;
/** `12:34:56.789` of the position. */
const clock = (page) => /[\d:.]+$/.exec(page.replay.clock)[0];

test('the running shift is replayed', async (t) => {
  const line = await plant(t);
  const cable = await proxy(t, line.port);
  const file = await configuration(t, line, { endpoint: cable.endpoint });
  const screen = await openScreen(t, { plant: file, data: line.data });
  const filler = (standing) => [(page, standing) => page.units.find(({ name }) => name === 'Filler')?.standing === standing, standing];
  const begin = async () => {
    if ((await screen.read()).replay.playing) await screen.press('Space');
    await screen.until('it stands', paused);
    await screen.press('Home');
    return screen.until('the beginning', atBegin);
  };
  const toStop = async () => {
    await begin();
    await screen.press('n');
    const { page } = await screen.until('the stop', (page) => page.replay.position > page.replay.from + 1 && !page.replay.playing && /Stop/.test(page.replay.said));
    return page;
  };

  await t.test('a line that runs, stops and runs again is recorded', async () => {
    await screen.until('all units live', allLive);
    await screen.until('the Filler has run for some seconds', (page) => Number(/good (\d+)/.exec(page.units[0].counts)?.[1]) > 40);
    line.say('jam Filler 8 s');
    await screen.until('the Filler stands', ...filler(true));
    await screen.until('the Filler runs again', ...filler(false));
  });

  await t.test('live: a bookmark with one key, of what was 15 s before', async () => {
    await screen.press('b');
    const { page } = await screen.until('the bookmark is asked for', (page) => page.marking !== null);
    assert.match(page.marking, /Bookmark at \d/);
    await screen.write('seen live');
    await screen.press('Enter');
    await screen.until('it is saved', (page) => page.marking === null && page.marked !== null);
  });

  await t.test('opened from the list, it cannot be taken for the plant', async () => {
    await screen.click('nav-shifts');
    await screen.until('the running shift', (page) => page.shifts.some(({ state }) => state === 'recording'));
    await screen.click('shift-open');
    const { page } = await screen.until('the replay', (page) => page.replay !== null && page.units.length > 0);
    assert.equal(page.mode, 'REPLAY');
    assert.ok(page.replay.framed, 'the frame around everything');
    assert.match(page.replay.live.text, /Live now/);
  });

  await t.test('plays at 60 times real time', async () => {
    const { page } = await begin();
    await screen.click('speed-60');
    await screen.click('play');
    const past = (page, from) => page.replay.position - from > 8_000;
    const { at } = await screen.until('8 s have passed in the replay', past, page.replay.from, 5_000);
    assert.ok(at > 0);
  });

  await t.test('hears how far the shift has come, also while it stands', async () => {
    const { page } = await begin();
    await screen.until('more is recorded', (page, to) => page.replay.to > to && !page.replay.playing, page.replay.to);
  });

  let stop;
  await t.test('steps to the stop, with the line as it was then', async () => {
    const page = await toStop();
    stop = { at: page.replay.position, clock: clock(page) };
    const { page: then } = await screen.until('the Filler stands', ...filler(true));
    assert.equal(then.mode, 'REPLAY');
  });

  await t.test('goes to an event that is clicked', async () => {
    const [event] = (await screen.read()).events.slice(-1);
    await screen.clickOn('[data-testid="events"] [data-kind]:last-of-type');
    const time = /\d\d:\d\d:\d\d/.exec(event.text)[0];
    const { page } = await screen.until(`its time, ${time}`, (page, time) => page.replay.clock.includes(time), time);
    assert.ok(page.replay.position < stop.at);
  });

  await t.test('goes to a time that is typed, and says which cannot be', async () => {
    await screen.press('t');
    await screen.until('the field', (page) => page.focus === 'time-field');
    await screen.write('25:00');
    await screen.press('Enter');
    const { page } = await screen.until('what is wrong', (page) => page.replay.problem !== null);
    assert.match(page.replay.problem, /23/);
    await screen.press('Escape');
    await screen.press('t');
    await screen.until('the field again', (page) => page.focus === 'time-field' && page.replay.problem === null);
    await screen.write(stop.clock);
    await screen.press('Enter');
    await screen.until('the time', (page, at) => Math.abs(page.replay.position - at) < 1, stop.at);
  });

  await t.test('is scrubbed by keys and by the pointer, and zoomed', async () => {
    await screen.press('ArrowLeft');
    await screen.until('a second before', (page, at) => Math.abs(page.replay.position - (at - 1_000)) < 1, stop.at);
    await screen.press('Shift+ArrowRight');
    const { page } = await screen.until('ten seconds on', (page, at) => page.replay.position > at + 5_000, stop.at);
    assert.ok(page.replay.position > page.replay.from);
    await screen.drag('time-bar', 0.5, 0, 0.2);
    await screen.until('where it was dragged to', (page) => Math.abs(page.replay.position - page.replay.from) < 1);
    await screen.press('+');
    await screen.until('nearer', (page) => page.replay.zoomed);
    await screen.press('0');
    await screen.until('the whole shift', (page) => !page.replay.zoomed);
  });

  await t.test('finds the next time at which a condition held', async () => {
    await begin();
    await screen.press('f');
    await screen.until('the tag is asked for', (page) => page.focus === 'tag-search');
    await screen.write('filler.speed');
    await screen.until('it is found', (page) => /Filler\.Speed/.test(page.options[0] ?? ''));
    await screen.press('Enter');
    await screen.until('the value is asked for', (page) => page.focus === 'next-value');
    await screen.write('100');
    await screen.type('next-seconds', '2');
    await screen.click('next-search');
    const found = (page) => /\d\d:\d\d:\d\d/.test(page.replay.answer ?? '') && page.replay.position > page.replay.from + 1;
    const { page } = await screen.until('the answer, and the replay there', found);
    assert.ok(Math.abs(page.replay.position - stop.at) < 5_000, JSON.stringify(page.replay));
    await screen.press('Escape');
  });

  await t.test('a bookmark in the replay, and the live one where it was set', async () => {
    await screen.press('b');
    await screen.until('the bookmark is asked for', (page) => page.marking !== null);
    await screen.write('seen again');
    await screen.press('Enter');
    await screen.until('it is saved', (page) => page.marking === null);
    const flag = (page, text) => page.replay.flags.some((flag) => flag.includes(text));
    await screen.until('the live one', flag, 'seen live');
    // Where the whole shift is shown, both lie in one place.
    for (let nearer = 0; nearer < 5; nearer++) await screen.press('+');
    await screen.until('the new one', flag, 'seen again');
    await screen.press('0');
  });

  await t.test('two moments: A is pinned, B moves to the stop, and the Filler differs', async () => {
    await begin();
    await screen.press('a');
    await screen.press('c');
    await screen.until('the comparison', (page) => page.compare !== null);
    await screen.click('b-next');
    const differs = (page) => page.compare.differences.some(({ text }) => /Filler/.test(text) && /Hold|Held/.test(text));
    const { page } = await screen.until('the state of the Filler', differs);
    assert.equal(page.mode, 'REPLAY');
  });

  await t.test('what-if: another limit of short stops changes their number, and nothing else is believed', async () => {
    await screen.click('nav-whatif');
    const { page } = await screen.until('the settings', (page) => /\d/.test(page.whatif?.parameters ?? ''));
    assert.match(page.whatif.sign, /WHAT-IF/);
    await screen.driver.type('[data-path="line/minor_stop"] [data-testid="parameter-field"]', '1');
    await screen.click('whatif-run');
    const { page: ran } = await screen.until('the result', (page) => page.whatif.state === 'done');
    assert.ok(ran.whatif.figures.some((key) => key.startsWith('shortStops')), ran.whatif.text);
  });

  await t.test('the cable is cut meanwhile: said above the replay', async () => {
    await screen.click('nav-line');
    const { page } = await screen.until('all well at the plant', (page) => page.replay?.live?.weight === 'calm');
    cable.cut();
    const { page: cut } = await screen.until('what is wrong now', (page) => page.replay.live.weight === 'critical');
    assert.notEqual(cut.replay.live.text, page.replay.live.text);
    assert.equal(cut.replay.position, page.replay.position, 'the replay stays where it is');
  });

  await t.test('back to live: the plant as it is now', async () => {
    await screen.click('back-to-live');
    const { page } = await screen.until('the plant', (page) => page.replay === null && page.condition === 'linkDown');
    assert.match(page.mode, /LIVE/);
    cable.mend();
    await screen.click('nav-line');
    await screen.until('all units live again', allLive, null, BACK_MS);
  });

  await t.test('and all of it with the keyboard', async () => {
    await screen.tabTo('nav-shifts');
    await screen.press('Enter');
    await screen.until('the list', (page) => page.shifts.length > 0);
    await screen.tabTo('shifts-search');
    await screen.press('Enter');
    await screen.until('the replay', (page) => page.replay !== null && page.units.length > 0);
    await toStop();
    await screen.press('.');
    await screen.press('Space');
    await screen.until('it plays', (page, at) => page.replay.position > at, stop.at);
    await screen.press('l');
    await screen.until('live', (page) => page.replay === null && /LIVE/.test(page.mode));
  });

  assert.deepEqual(screen.faults(), [], 'errors in the page');
});
