// A screen in the system's Chromium, fed by the loopback host.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { UI, later, line, program, start } from './programs.mjs';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Starts the loopback host; without a `plant` it looks for one in the data folder. */
export async function serve(t, { plant, data }) {
  const running = start(t, program('lineside-server'), [...(plant === undefined ? [] : ['--plant', plant]), '--data', data, '--ui', UI, '--port', '0']);
  const [, address] = await line(running, /^UP (\S+)/);
  return { ...running, address };
}

/** Starts the loopback host and opens its page. */
export async function open(t, { plant, data }) {
  const host = await serve(t, { plant, data });
  const executablePath = CHROMIUM.find(existsSync);
  // Chromium's own sandbox does not start for root, which is who runs the tests in a container.
  const args = process.getuid() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath, args });
  later(t, () => browser.close());
  const page = await browser.newPage({ viewport: { width: 1366, height: 768 }, colorScheme: 'light', locale: 'en-GB' });
  const faults = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  await page.goto(host.address);
  return {
    host,
    faults,
    evaluate: (source) => page.evaluate(source),
    click: (selector) => page.click(selector),
    type: (selector, text) => page.fill(selector, text),
    picture: (path) => page.screenshot({ path }),
    resize: (to) => page.setViewportSize(to),
  };
}
