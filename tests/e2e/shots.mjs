// Pictures of the main views into docs/images/, taken from the running program.
//
// Nothing on them is made up: the plant runs its demo in real time until there is a history to see.
// LINESIDE_HISTORY_S says for how long.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, configuration, plant } from './support/programs.mjs';
import { proxy } from './support/proxy.mjs';
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

/** A shift that has ended, and one with a stop, a bad sensor, a broken cable and a bookmark. */
const SHIFTS_MS = Number(process.env.LINESIDE_SHIFTS_S ?? 330) * 1000;
const CABLE_BREAKS_MS = 240_000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const live = (page) => page.replay === null && page.units.length > 0 && page.units.every((unit) => unit.trust === 'live');

test('pictures', async (t) => {
  await mkdir(IMAGES, { recursive: true });
  const line = await plant(t, { scenario: 'demo' });
  const screen = await openScreen(t, { plant: await configuration(t, line), data: line.data });
  await screen.until('all units live', live);
  await pause(HISTORY_MS);
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

test('pictures of the replay', async (t) => {
  await mkdir(IMAGES, { recursive: true });
  const line = await plant(t, { scenario: 'demo' });
  const cable = await proxy(t, line.port);
  const file = await configuration(t, line, { endpoint: cable.endpoint, edit: (text) => changingAt(text, nextMinuteBut(60_000)) });
  const screen = await openScreen(t, { plant: file, data: line.data });
  await screen.driver.resize(ONCE);
  await screen.until('all units live', live);
  const save = (name) => screen.picture(join(IMAGES, `${name}.png`));
  const filler = (page) => page.units.some(({ name, standing }) => name === 'Filler' && standing);
  const begun = Date.now();
  await screen.until('the Filler stands, with the others', filler, null, SHIFTS_MS);
  await screen.press('b');
  await screen.until('the bookmark is asked for', (page) => page.marking !== null);
  await screen.write('capper jam, cap chute');
  await screen.press('Enter');
  await pause(begun + CABLE_BREAKS_MS - Date.now());
  cable.cut();
  await screen.until('it is known', (page) => page.condition === 'linkDown');
  cable.mend();
  await screen.until('all units live again', live, null, 60_000);
  await pause(begun + SHIFTS_MS - Date.now());

  await screen.click('nav-shifts');
  await screen.until('two shifts', (page) => page.shifts.length === 2 && page.shifts.every(({ text }) => !/reading/.test(text)));
  await screen.click('shift-check');
  await screen.until('the verdict', (page) => page.check !== null);
  await save('shifts');
  await screen.click('shift-open');
  await screen.until('the replay', (page) => page.replay !== null && page.units.length > 0);
  await screen.press('Home');
  await screen.until('its beginning', (page) => Math.abs(page.replay.position - page.replay.from) < 1);
  await screen.press('a');
  await screen.press('n');
  await screen.until('the first stop', (page) => page.replay.position > page.replay.from + 1 && !page.replay.playing);
  await screen.press('Shift+ArrowRight');
  await screen.click('unfold');
  await screen.until('the lanes', (page) => page.replay.flags.length > 0 && page.replay.said === '');
  await save('replay');
  await screen.click('unfold');
  await screen.press('Shift+A');
  await screen.press('c');
  await screen.until('what differs', (page) => page.compare.differences.length > 0);
  await save('compare-moments');
  await screen.click('compare-shifts');
  await screen.until('both shifts', (page) => page.compare.rows > 0);
  await save('compare-shifts');
  await screen.click('nav-whatif');
  await screen.until('the settings', (page) => page.whatif?.parameters !== '');
  await screen.driver.type('[data-path="line/minor_stop"] [data-testid="parameter-field"]', '20');
  await screen.click('whatif-run');
  await screen.until('the result', (page) => page.whatif.state === 'done');
  await save('what-if');
  await screen.click('nav-line');
  await screen.click('theme');
  await screen.until('the line in the dark', (page) => page.theme === 'dark' && page.units.length > 0);
  await save('replay-dark');
});

/** The calendar of a plant with a shift that began this minute, and the change of shifts at a later one. */
function changingAt(text, at) {
  const timeZone = /time_zone = "([^"]+)"/.exec(text)[1];
  const clock = (ms) => new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(ms);
  const [before, on, after] = [clock(Date.now()), clock(at), clock(at + 8 * 3_600_000)];
  const times = { '06:00': before, '14:00': on, '22:00': after };
  return text.replace(/^(start|end) = "(\d\d:\d\d)"/gm, (_, key, time) => `${key} = "${times[time]}"`);
}

/** The first full minute that is at least so far away. */
function nextMinuteBut(ms) {
  return Math.ceil((Date.now() + ms) / 60_000) * 60_000;
}
