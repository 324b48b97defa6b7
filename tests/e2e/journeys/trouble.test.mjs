// What a person can get wrong: each is said on the screen with what to do, and the rest works.

import assert from 'node:assert/strict';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { configuration, plant } from '../support/programs.mjs';
import { openScreen } from '../support/screen.mjs';

const BACK_MS = 60_000;

test('a wrong plant.toml: all its errors at once, with place and remedy', async (t) => {
  const line = await plant(t);
  const wrong = (text) => text.replace('time_zone', 'time_zonne').replace(/^minor_stop = .*$/m, 'minor_stop = "5 parsecs"');
  const file = await configuration(t, line, { edit: wrong });
  const screen = await openScreen(t, { plant: file, data: line.data });
  const { page } = await screen.until('the problems', (page) => page.problems.length > 0);
  assert.ok(page.problems.length >= 2, page.problems.join('\n'));
  assert.ok(page.problems.every((problem) => /plant\.toml:\d+:\d+/.test(problem)), page.problems.join('\n'));
  assert.ok(page.problems.some((problem) => /time_zonne.*time_zone/.test(problem)), page.problems.join('\n'));
  assert.equal(page.units.length, 0, 'no figure of a plant that is not known');
});

test('a server that is not trusted: said with the file to move, and live when it was moved', async (t) => {
  const line = await plant(t);
  const data = join(line.home, 'stranger');
  const screen = await openScreen(t, { plant: await configuration(t, line), data });
  await screen.until('the banner names the link', (page) => page.condition === 'linkDown');
  const { page } = await screen.until('the certificate is named', (page) => /not trusted yet/.test(page.everything));
  assert.match(page.everything, /rejected/);
  const { rejected, trusted } = { rejected: join(data, 'pki/rejected/certs'), trusted: join(data, 'pki/trusted/certs') };
  for (const certificate of await readdir(rejected)) await rename(join(rejected, certificate), join(trusted, certificate));
  await screen.until('live', (page) => page.units.length > 0 && page.units.every((unit) => unit.trust === 'live'), null, BACK_MS);
});

test('a node that the server does not know: its tag says so, the others are live', async (t) => {
  const line = await plant(t);
  const edit = (text) => text.replace(/^(node = ".*s=)Capper\.Speed"/m, '$1Capper.NoSuchSpeed"');
  const screen = await openScreen(t, { plant: await configuration(t, line, { edit }), data: line.data });
  await screen.until('the Filler is live', (page) => page.units.some((unit) => unit.name === 'Filler' && unit.trust === 'live'));
  await screen.click('nav-tags');
  await screen.type('tags-search', 'Capper.Speed');
  // Some servers refuse the item, some accept it and send its status as a value: the words are the same.
  const told = (page) => page.tags.some((tag) => ['refused', 'bad'].includes(tag.trust) && /BadNodeIdUnknown/.test(tag.text));
  const { page } = await screen.until('the refusal', told);
  assert.match(page.tags[0].text, /the server does not know this node/);
});

test('a server that is not there: said, and live when it comes', async (t) => {
  const line = await plant(t);
  const file = await configuration(t, line);
  await line.end();
  const screen = await openScreen(t, { plant: file, data: line.data });
  await screen.until('the banner names the link', (page) => page.condition === 'linkDown');
  const again = await plant(t, { home: line.home, port: line.port });
  assert.equal(again.port, line.port);
  await screen.until('live', (page) => page.units.length > 0 && page.units.every((unit) => unit.trust === 'live'), null, BACK_MS);
});

test('a data folder in use: the second Lineside says so and leaves it alone', async (t) => {
  const line = await plant(t);
  const file = await configuration(t, line);
  const first = await openScreen(t, { plant: file, data: line.data });
  await first.until('the first records', (page) => page.recorder !== null && page.recorder.state === 'recording');
  const second = await openScreen(t, { plant: file, data: line.data });
  const { page } = await second.until('the problem', (page) => page.problems.length > 0);
  assert.match(page.problems[0], /already recording/);
});
