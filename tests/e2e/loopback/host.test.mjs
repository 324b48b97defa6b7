// What only the loopback host can show: a port that is taken, and a page whose host does not answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serve } from '../support/browser.mjs';
import { UI, configuration, later, plant, program, start } from '../support/programs.mjs';
import { openScreen } from '../support/screen.mjs';

test('a port that is taken: the program ends and says what to do', async (t) => {
  const line = await plant(t);
  const file = await configuration(t, line);
  const { address } = await serve(t, { plant: file, data: line.data });
  const args = ['--plant', file, '--data', line.data, '--ui', UI, '--port', new URL(address).port];
  const second = start(t, program('lineside-server'), args);
  assert.notEqual(await second.ended, 0);
  assert.match(second.log.join('\n'), /port \d+ is taken.*--port/);
});

test('a host that hangs: no value goes on looking good', async (t) => {
  const line = await plant(t);
  const screen = await openScreen(t, { plant: await configuration(t, line), data: line.data });
  const live = (page) => page.units.length > 0 && page.units.every((unit) => unit.trust === 'live');
  await screen.until('all units live', live);
  screen.driver.host.child.kill('SIGSTOP');
  later(t, () => screen.driver.host.child.kill('SIGCONT'));
  const { page } = await screen.until('the page says so', (page) => page.condition === 'noAnswer', null, 15_000);
  assert.ok(page.units.every((unit) => unit.trust !== 'live' && unit.rateTrust !== 'live'), JSON.stringify(page.units));
  screen.driver.host.child.kill('SIGCONT');
  await screen.until('all units live again', live);
});
