// A shift at the line: it moves, a stop shows at once, and a person finds a value in their language and light.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configuration, plant } from '../support/programs.mjs';
import { openScreen } from '../support/screen.mjs';

/** Far beyond what is promised (one second): a slow machine is no failure, a stop that does not show is. */
const STOP_SHOWS_MS = 5_000;

test('a simulated line', async (t) => {
  const line = await plant(t);
  const screen = await openScreen(t, { plant: await configuration(t, line), data: line.data });

  await t.test('is live, and says that it is simulated', async () => {
    const { page } = await screen.until(
      'all units live',
      (page) => page.units.length > 0 && page.units.every((unit) => unit.trust === 'live' && unit.rate !== null),
    );
    assert.ok(page.units.length >= 5, `${page.units.length} units`);
    assert.match(page.mode, /LIVE/);
    assert.match(page.simulated ?? '', /SIMULATED/);
    assert.deepEqual(page.links.map((link) => link.state), ['up']);
    await screen.until('the recorder records', (page) => page.recorder !== null && page.recorder.state === 'recording');
  });

  await t.test('moves: every unit runs, counts, and its speed is renewed', async () => {
    const { page } = await screen.until(
      'all units run',
      (page) => page.units.every((unit) => Number(unit.rate.replace(/\D/g, '')) > 0 && !unit.standing),
    );
    const before = page.units.map((unit) => unit.counts);
    await screen.until('every count has changed', (page, before) => page.units.every((unit, i) => unit.counts !== before[i]), before);
  });

  await t.test('shows a stop at once, and then its neighbours', async () => {
    const said = Date.now();
    line.say('jam Capper 40 s');
    const named = (page, name) => page.units.find((unit) => unit.name === name);
    const stop = await screen.until(
      'the Capper stands',
      (page) => page.units.find((unit) => unit.name === 'Capper').standing,
      null,
      STOP_SHOWS_MS,
    );
    t.diagnostic(`the stop was on the screen ${stop.at - said} ms after the command to the plant`);
    assert.notEqual(named(stop.page, 'Capper').state, 'Execute');
    await screen.until(
      'the unit behind it starves',
      (page) => !/Execute/.test(page.units.find((unit) => unit.name === 'Labeller').state),
    );
    await screen.until('the Capper runs again', (page) => !page.units.find((unit) => unit.name === 'Capper').standing, null, 90_000);
  });

  await t.test('lists every tag, and finds one', async () => {
    await screen.click('nav-tags');
    await screen.until('tags with values', (page) => page.tags.length > 5 && page.tags.some((tag) => tag.trust === 'live'));
    await screen.type('tags-search', 'capper.speed');
    const { page } = await screen.until(
      'the one tag',
      (page) => page.tags.length > 0 && page.tags.every((tag) => /capper\.speed/i.test(tag.name)) && page.tags[0].trust === 'live',
    );
    assert.ok(page.tags.some((tag) => tag.name === 'Capper.Speed'), JSON.stringify(page.tags));
    await screen.type('tags-search', 'no such tag anywhere');
    await screen.until('nothing matches', (page) => page.tags.length === 0);
    await screen.click('nav-line');
  });

  await t.test('speaks German and English', async () => {
    const other = (await screen.read()).language === 'en' ? 'de' : 'en';
    const words = { de: 'Linie', en: 'Line' };
    const shows = (page, [language, word]) => page.language === language && page.nav[0] === word;
    for (const language of [other, other === 'en' ? 'de' : 'en']) {
      await screen.click('language');
      await screen.until(`the page in ${language}`, shows, [language, words[language]]);
    }
  });

  await t.test('has a dark display', async () => {
    const before = await screen.read();
    await screen.click('theme');
    const { page } = await screen.until('another theme', (page, before) => page.theme !== before, before.theme);
    assert.notEqual(page.background, before.background);
    await screen.click('theme');
    await screen.until('the first theme', (page, before) => page.theme === before, before.theme);
  });

  assert.deepEqual(screen.faults(), [], 'errors in the page');
});
