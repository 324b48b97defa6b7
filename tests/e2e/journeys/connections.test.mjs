// The facts of a connection while its cable is cut and mended, and a value that says why it is not good.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configuration, plant } from '../support/programs.mjs';
import { proxy } from '../support/proxy.mjs';
import { openScreen } from '../support/screen.mjs';

const BACK_MS = 60_000;
const NO_SUCH_NODE = 'Capper.NoSuchSpeed';

test('the Connections view', async (t) => {
  const line = await plant(t);
  const cable = await proxy(t, line.port);
  const edit = (text) => text.replace(/^(node = ".*s=)Capper\.Speed"/m, `$1${NO_SUCH_NODE}"`);
  const file = await configuration(t, line, { endpoint: cable.endpoint, edit });
  const screen = await openScreen(t, { plant: file, data: line.data });
  await screen.until('the link is up', (page) => page.links.length === 1 && page.links[0].state === 'up');

  await t.test('opens from the link in the header, with figures of the session', async () => {
    await screen.click('link-0');
    const { page } = await screen.until('the facts', (page) => /Connected since/.test(page.connection?.text ?? '') && /SignAndEncrypt/.test(page.everything));
    assert.match(page.everything, /Certificate.*days left/);
    assert.doesNotMatch(page.everything, /NaN|undefined|\{\w+\}/);
  });

  await t.test('says why a tag has no value, and what to do', async () => {
    await screen.click('nav-tags');
    await screen.type('tags-search', 'Capper.Speed');
    await screen.until('the tag is not good', (page) => page.tags.length > 0 && ['refused', 'bad'].includes(page.tags[0].trust));
    await screen.click('tag-explain');
    const { page } = await screen.until('the sentence', (page) => page.why !== null);
    assert.match(page.why, /the server does not know this node|The server does not know this node/);
    assert.match(page.why, /correct (it|the node)/);
    await screen.click('why-connection');
    await screen.until('the facts again', (page) => page.connection !== null && page.why === null);
  });

  await t.test('follows a cut: no connection, since when, and what the adapter says', async () => {
    cable.cut();
    const { page } = await screen.until('the cut', (page) => page.connection.state === 'down' || page.connection.state === 'connecting');
    assert.doesNotMatch(page.connection.text, /Values arrive/);
  });

  await t.test('and its mend: connected, the gap and the history are listed', async () => {
    cable.mend();
    await screen.until('connected again', (page) => page.connection.state === 'up', null, BACK_MS);
    await screen.until('the history has the loss', (page) => /no connection/.test(page.history ?? ''), null, BACK_MS);
    const { page } = await screen.until('the facts are told anew', (page) => /Link lost ?[1-9]/.test(page.everything), null, BACK_MS);
    t.diagnostic(`gaps: ${page.gaps.map(({ text }) => text).join(' | ') || 'none: everything was fetched again'}`);
  });

  assert.deepEqual(screen.faults(), [], 'errors in the page');
});
