// The first connection: from nothing to a line on the screen, by what a person types and ticks.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { plant } from '../support/programs.mjs';
import { openScreen } from '../support/screen.mjs';

const SERVER_MS = 60_000;

test('a first server is found, trusted, looked through and written', async (t) => {
  const line = await plant(t);
  const data = join(line.home, 'fresh');
  const screen = await openScreen(t, { data });

  await t.test('the program opens on Setup', async () => {
    await screen.until('Setup', (page) => page.setup !== null);
  });

  await t.test('a wrong address says so and stays', async () => {
    await screen.type('setup-address', '127.0.0.1:1');
    await screen.click('setup-discover');
    await screen.until('what is wrong', (page) => page.setup.errors.length > 0, null, SERVER_MS);
  });

  await t.test('the server is found, weak ways are marked', async () => {
    await screen.type('setup-address', `127.0.0.1:${line.port}`);
    await screen.click('setup-discover');
    const { page } = await screen.until('endpoints', (page) => page.setup.endpoints.length > 0, null, SERVER_MS);
    assert.deepEqual(page.setup.errors, []);
    assert.notEqual(page.setup.endpoints[0], 'none', 'the best comes first');
    await screen.click('setup-next');
  });

  await t.test('its certificate is trusted', async () => {
    await screen.until('the certificate', (page) => page.setup.findings.length > 0);
    await screen.click('trust');
    await screen.until('trusted', (page) => page.setup.place === 'trusted', null, SERVER_MS);
    await screen.click('setup-connect');
    await screen.until('the tree', (page) => page.setup.step === 'step-browse', null, SERVER_MS);
  });

  await t.test('a branch is ticked, a value is looked at', async () => {
    await screen.type('node-search', 'Capper');
    await screen.clickOn('.bar button[type="submit"]');
    await screen.until('the Capper', (page) => page.setup.nodes.includes('Capper'), null, SERVER_MS);
    await screen.clickOn('[data-testid="node-row"][data-name="Capper"] [data-testid="node-tick"]');
    await screen.click('setup-propose');
    const { page } = await screen.until('a proposal', (page) => page.setup.step === 'step-proposal', null, SERVER_MS);
    assert.ok(page.setup.units >= 1 && page.setup.proposed > 3, JSON.stringify(page.setup));
  });

  await t.test('the lines are shown, written as shown, and the line appears', async () => {
    await screen.click('setup-check');
    const { page } = await screen.until('the lines', (page) => page.setup.lines !== null, null, SERVER_MS);
    assert.match(page.setup.lines, /\[\[connection\]\][^]*\[\[unit\]\][^]*\[\[tag\]\]/);
    await screen.click('setup-write');
    await screen.until('written', (page) => page.setup.written !== null, null, SERVER_MS);
    const written = await readFile(join(data, 'plant.toml'), 'utf8');
    for (const text of page.setup.lines.split('\n')) assert.ok(written.includes(text), `“${text}” is not in the file`);
    await screen.until('there is a plant', (page) => page.links.length === 1, null, SERVER_MS);
    await screen.click('setup-show');
    const live = (page) => page.units.some((unit) => unit.name === 'Capper' && unit.trust === 'live');
    await screen.until('the Capper is live', live, null, SERVER_MS);
  });

  assert.deepEqual(screen.faults(), [], 'errors in the page');
});
