// The program is killed again and again: each start goes on without a repair, and replays what was live.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serve } from '../support/browser.mjs';
import { configuration, plant } from '../support/programs.mjs';
import { PATIENCE_MS, openScreen } from '../support/screen.mjs';

const KILLS = 12;
/** The same lives in every run. */
const SEED = 20_261_122;

test('kill -9 at any moment: the next start finds what was recorded', async (t) => {
  const line = await plant(t);
  const options = { plant: await configuration(t, line), data: line.data };
  for (const lifeMs of lives(KILLS, SEED)) {
    const host = await serve(t, options);
    await new Promise((resolve) => setTimeout(resolve, lifeMs));
    host.child.kill('SIGKILL');
    await host.ended;
    // A start replays the file before it and compares it with what was live: a difference, damage, or a file that
    // cannot be continued is an error in the log.
    assert.deepEqual(host.log.filter((said) => /ERROR/.test(said)), []);
  }
  const screen = await openScreen(t, options);
  const whole = (page) => page.recorder?.state === 'recording' && page.units.length > 0 && page.units.every((unit) => unit.trust === 'live');
  const { page } = await screen.until('recording and live', whole, null, PATIENCE_MS);
  assert.deepEqual(page.problems, []);
});

/** Lengths of lives in ms, from before the first value to after several commits. */
function lives(count, seed) {
  let state = seed;
  const next = () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  return Array.from({ length: count }, () => Math.round(next() ** 2 * 2_500));
}
