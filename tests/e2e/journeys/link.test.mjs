// The cable: what is cut looks cut everywhere, and comes back by itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configuration, plant } from '../support/programs.mjs';
import { proxy } from '../support/proxy.mjs';
import { openScreen } from '../support/screen.mjs';

/** A connection that breaks is known at once; the rest is the frame and a loaded machine. */
const CUT_SHOWS_MS = 5_000;
/** A plug that was pulled silently is noticed by what does not come: some publishing intervals. */
const STALL_SHOWS_MS = 20_000;
const BACK_MS = 60_000;

const allLive = (page) => page.units.length > 0 && page.units.every((unit) => unit.trust === 'live');
const noneLive = (page) => page.units.length > 0 && page.units.every((unit) => unit.trust !== 'live' && unit.rateTrust !== 'live');
const noTagLive = (page) => page.tags.length > 0 && page.tags.every((tag) => tag.trust !== 'live');

test('the cable between Lineside and the plant', async (t) => {
  const line = await plant(t);
  const cable = await proxy(t, line.port);
  const file = await configuration(t, line, { endpoint: cable.endpoint });
  const screen = await openScreen(t, { plant: file, data: line.data });
  await screen.until('all units live', allLive);

  await t.test('cut: nothing goes on looking good', async () => {
    const cut = Date.now();
    cable.cut();
    const stale = await screen.until('every unit doubtful', noneLive, null, CUT_SHOWS_MS);
    t.diagnostic(`all values were marked ${stale.at - cut} ms after the cut`);
    assert.ok(stale.page.units.every((unit) => unit.rate !== null), 'the last known speed is still there');
    const { page } = await screen.until('the link is shown as down', (page) => page.links.every((link) => link.state !== 'up'));
    assert.notEqual(page.condition, 'none', 'the banner names it');
    await screen.click('nav-tags');
    await screen.until('no tag looks good', noTagLive, null, CUT_SHOWS_MS);
    await screen.click('nav-line');
  });

  await t.test('mended: the line is back by itself', async () => {
    const mended = Date.now();
    cable.mend();
    const back = await screen.until('all units live again', allLive, null, BACK_MS);
    t.diagnostic(`all units were live ${back.at - mended} ms after the mend`);
  });

  await t.test('pulled without a word: noticed by its silence, and back', async () => {
    const pulled = Date.now();
    cable.stall();
    const stale = await screen.until('every unit doubtful', noneLive, null, STALL_SHOWS_MS);
    t.diagnostic(`all values were marked ${stale.at - pulled} ms after the line went silent`);
    await screen.until('all units live again', allLive, null, BACK_MS);
  });

  await t.test('the server restarts: doubtful, and back', async () => {
    line.say('restart server 3 s');
    await screen.until('every unit doubtful', noneLive, null, STALL_SHOWS_MS);
    await screen.until('all units live again', allLive, null, BACK_MS);
  });

  assert.deepEqual(screen.faults(), [], 'errors in the page');
});
