// Pictures of the main views into docs/images/, taken from the running program.
//
// Nothing on them is made up: the plant runs its demo in real time until there is a history to see.
// LINESIDE_HISTORY_S says for how long.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, configuration, plant } from './support/programs.mjs';
import { openScreen } from './support/screen.mjs';

const IMAGES = join(ROOT, 'docs/images');
const SIZES = [
  { width: 1280, height: 1024 },
  { width: 1366, height: 768 },
  { width: 1920, height: 1080 },
];
/** The views with much text are pictured in one size. */
const ONCE = { width: 1366, height: 768 };
/** In the middle of the demo's jam, which is the moment that matters. */
const HISTORY_MS = Number(process.env.LINESIDE_HISTORY_S ?? 135) * 1000;

test('pictures', async (t) => {
  await mkdir(IMAGES, { recursive: true });
  const line = await plant(t, { scenario: 'demo' });
  const screen = await openScreen(t, { plant: await configuration(t, line), data: line.data });
  const live = (page) => page.units.length > 0 && page.units.every((unit) => unit.trust === 'live');
  await screen.until('all units live', live);
  await new Promise((resolve) => setTimeout(resolve, HISTORY_MS));
  for (const theme of ['light', 'dark']) {
    if ((await screen.read()).theme !== theme) await screen.click('theme');
    for (const size of SIZES) {
      await screen.driver.resize(size);
      for (const view of ['line', 'tags']) {
        await screen.click(`nav-${view}`);
        const shown = view === 'line' ? live : (page) => page.tags.some((tag) => tag.trust === 'live');
        await screen.until(`the view ${view}`, shown);
        await screen.picture(join(IMAGES, `${view}-${theme}-${size.width}.png`));
      }
    }
    await screen.driver.resize(ONCE);
    const suffix = theme === 'light' ? '' : `-${theme}`;
    await screen.click('nav-connections');
    await screen.until('the facts of the connection', (page) => page.connection !== null && /SignAndEncrypt/.test(page.everything));
    await screen.picture(join(IMAGES, `connections${suffix}.png`));
    await screen.click('nav-setup');
    if ((await screen.read()).setup.endpoints.length === 0) {
      await screen.type('setup-address', line.endpoint);
      await screen.click('setup-discover');
      await screen.until('the server is found', (page) => page.setup.endpoints.length > 0);
    }
    await screen.picture(join(IMAGES, `setup${suffix}.png`));
  }
});
