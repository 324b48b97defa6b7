// Takes pictures of the page with made-up data, to be looked at: node tools/shots.mjs OUT_DIR [scenario…]
//
// Starts Vite's development server on a free port, and the system's Chromium.

import { mkdir } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';

const SIZES = [[1024, 700], [1280, 1024], [1366, 768], [1920, 1080]];
const [out = 'shots', ...wanted] = process.argv.slice(2);
const scenarios = wanted.length > 0 ? wanted : ['good', 'stopped', 'linkdown'];

await mkdir(out, { recursive: true });
const server = await createServer({ server: { port: 0, host: '127.0.0.1' }, logLevel: 'error' });
await server.listen();
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
for (const scenario of scenarios) {
  for (const theme of ['light', 'dark']) {
    for (const [width, height] of SIZES) await shoot(scenario, theme, width, height);
  }
}
await browser.close();
await server.close();

async function shoot(scenario, theme, width, height) {
  const [name, view] = scenario.split(':');
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, locale: 'en-GB' });
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`${scenario} ${theme}: ${error.message}`));
  page.on('console', (message) => message.type() === 'error' && console.error(message.text()));
  await page.goto(`http://127.0.0.1:${server.httpServer.address().port}/?fake=${name}`);
  await page.waitForSelector('[data-testid=mode]');
  await page.waitForTimeout(name === 'silent' ? 5000 : 500);
  if (view !== undefined) await page.click(`[data-testid=nav-${view}]`);
  await page.waitForTimeout(400);
  const cut = await page.evaluate(() =>
    [...document.querySelectorAll('.col, main, header, .facts')]
      .filter((e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)
      .map((e) => `${e.className || e.tagName} ${e.scrollWidth}x${e.scrollHeight} in ${e.clientWidth}x${e.clientHeight}`),
  );
  if (cut.length > 0) console.log(`${scenario} ${theme} ${width}x${height} cuts: ${cut.join('; ')}`);
  await page.screenshot({ path: `${out}/${name}${view === undefined ? '' : `-${view}`}-${theme}-${width}.png` });
  await context.close();
}
