// A screen in the system's Chromium, fed by the loopback host.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { UI, argumentsOf, later, line, program, start } from './programs.mjs';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Starts the loopback host. */
export async function serve(t, options) {
  const running = start(t, program('lineside-server'), [...argumentsOf(options), '--ui', UI, '--port', '0']);
  const [, address] = await line(running, /^UP (\S+)/);
  return { ...running, address };
}

/** Starts the loopback host and opens its page. */
export async function open(t, options) {
  const host = await serve(t, options);
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
    press: (key) => page.keyboard.press(key),
    drag: async (from, to) => {
      await page.mouse.move(from.x, from.y);
      await page.mouse.down();
      await page.mouse.move((from.x + to.x) / 2, to.y);
      await page.mouse.move(to.x, to.y);
      await page.mouse.up();
    },
    bring: (selector, path) => page.setInputFiles(selector, path),
    picture: (path) => page.screenshot({ path }),
    resize: (to) => page.setViewportSize(to),
  };
}
