import { mkdir } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';
const [out, theme = 'light', w = '1366', h = '768', lang = 'en', ...steps] = process.argv.slice(2);
await mkdir(out, { recursive: true });
const server = await createServer({ server: { port: 0, host: '127.0.0.1' }, logLevel: 'error', cacheDir: '/tmp/vite-ui1' });
await server.listen();
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync'] });
const context = await browser.newContext({ viewport: { width: +w, height: +h }, colorScheme: theme, locale: lang === 'de' ? 'de-DE' : 'en-GB' });
const page = await context.newPage();
page.on('pageerror', (e) => console.error('PAGE', e.message, e.stack?.split('\n').slice(0,4).join('\n')));
page.on('console', (m) => m.type() === 'error' && console.error('CONSOLE', m.text()));
let scenario = 'good';
const url = (s) => `http://127.0.0.1:${server.httpServer.address().port}/?fake=${s}`;
let n = 0;
let first = true;
for (const step of steps) {
  const [cmd, ...rest] = step.split('=');
  const arg = rest.join('=');
  if (cmd === 'scenario') { scenario = arg; continue; }
  if (first) { first = false; await page.goto(url(scenario)); await page.waitForSelector('[data-testid=mode]'); await page.waitForTimeout(600); }
  if (cmd === 'click') await page.click(arg.startsWith('.') || arg.startsWith('[') ? arg : `[data-testid="${arg}"]`);
  else if (cmd === 'key') await page.keyboard.press(arg);
  else if (cmd === 'type') await page.keyboard.type(arg);
  else if (cmd === 'wait') await page.waitForTimeout(+arg);
  else if (cmd === 'bar') { const [x, y] = arg.split(',').map(Number); const b = await page.locator('[data-testid=time-bar]').boundingBox(); await page.mouse.click(b.x + x * b.width, b.y + y); }
  else if (cmd === 'hover') { const [x, y] = arg.split(',').map(Number); const b = await page.locator('[data-testid=time-bar]').boundingBox(); await page.mouse.move(b.x + x * b.width, b.y + y); }
  else if (cmd === 'wheel') { await page.mouse.wheel(0, +arg); }
  else if (cmd === 'drag') { const [x, x2, y] = arg.split(',').map(Number); const b = await page.locator('[data-testid=time-bar]').boundingBox(); await page.mouse.move(b.x + x * b.width, b.y + y); await page.mouse.down(); for (let i = 1; i <= 20; i++) { await page.mouse.move(b.x + (x + (x2 - x) * i / 20) * b.width, b.y + y); await page.waitForTimeout(20); } await page.mouse.up(); }
  else if (cmd === 'text') console.log(arg, '=>', (await page.textContent(`[data-testid="${arg}"]`))?.replace(/\s+/g, ' '));
  else if (cmd === 'eval') console.log(await page.evaluate(arg));
  else if (cmd === 'shot') await page.screenshot({ path: `${out}/${arg}.png` });
}
await browser.close();
await server.close();
