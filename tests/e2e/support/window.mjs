// The real window of the desktop program, driven through WebKit's own driver (W3C WebDriver).

import { createServer } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { argumentsOf, later, program, start } from './programs.mjs';

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';
const SESSION_MS = 60_000;

/** Has the driver start the desktop program. */
export async function open(t, options) {
  const port = await freePort();
  // Without these Tauri refuses to be driven, and the session never starts.
  const environment = { TAURI_AUTOMATION: 'true', TAURI_WEBVIEW_AUTOMATION: 'true' };
  // The driver starts the program, and has been seen to leave it behind.
  const driver = start(t, 'WebKitWebDriver', [`--port=${port}`], { environment, withChildren: true });
  const session = await newSession(driver, `http://127.0.0.1:${port}`, {
    binary: program('lineside'),
    args: argumentsOf(options),
  });
  later(t, () => session.ask('DELETE', ''));
  await session.ask('POST', '/timeouts', { script: SESSION_MS });
  const element = async (selector) => (await session.ask('POST', '/element', { using: 'css selector', value: selector }))[ELEMENT];
  return {
    host: driver,
    faults: [],
    evaluate: async (source) => {
      const script = `const done = arguments[0]; Promise.resolve(${source}).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
      const { value, error } = await session.ask('POST', '/execute/async', { script, args: [] });
      if (error !== undefined) throw new Error(error);
      return value;
    },
    click: async (selector) => session.ask('POST', `/element/${await element(selector)}/click`, {}),
    type: async (selector, text) => {
      const id = await element(selector);
      await session.ask('POST', `/element/${id}/clear`, {});
      if (text !== '') await session.ask('POST', `/element/${id}/value`, { text });
    },
    press: (key) => session.ask('POST', '/actions', { actions: [{ type: 'key', id: 'keyboard', actions: strokes(key) }] }),
    drag: (from, to) => session.ask('POST', '/actions', { actions: [pointer(from, to)] }),
    bring: async (selector, path) => session.ask('POST', `/element/${await element(selector)}/value`, { text: path }),
    picture: async (path) => writeFile(path, Buffer.from(await session.ask('GET', '/screenshot'), 'base64')),
  };
}

/** The codes that WebDriver has for keys without a character. */
const CODES = {
  Tab: '\uE004', Enter: '\uE007', Shift: '\uE008', Escape: '\uE00C', Space: ' ', End: '\uE010', Home: '\uE011',
  ArrowLeft: '\uE012', ArrowUp: '\uE013', ArrowRight: '\uE014', ArrowDown: '\uE015',
};

/** A key such as `n`, `Home` or `Shift+A`, pressed and let go. */
function strokes(key) {
  const codes = key.split(/(?<=.)\+(?=.)/).map((name) => CODES[name] ?? name);
  const go = (type) => (value) => ({ type, value });
  return [...codes.map(go('keyDown')), ...codes.toReversed().map(go('keyUp'))];
}

/** The pointer goes down, over, and up. */
function pointer(from, to) {
  const move = ({ x, y }) => ({ type: 'pointerMove', duration: 0, origin: 'viewport', x: Math.round(x), y: Math.round(y) });
  const middle = { x: (from.x + to.x) / 2, y: to.y };
  const down = { type: 'pointerDown', button: 0 };
  const actions = [move(from), down, move(middle), move(to), { type: 'pointerUp', button: 0 }];
  return { type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' }, actions };
}

/** A session in a program that the driver starts. The driver needs a moment before it listens. */
async function newSession(driver, base, options) {
  const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': options } };
  const deadline = Date.now() + SESSION_MS;
  for (;;) {
    try {
      const { sessionId } = await request(`${base}/session`, 'POST', { capabilities });
      return { ask: (method, path, body) => request(`${base}/session/${sessionId}${path}`, method, body) };
    } catch (error) {
      if (error.cause?.code !== 'ECONNREFUSED' || Date.now() > deadline) {
        throw new Error(`no WebDriver session: ${error.message}\n${driver.log.join('\n')}`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function request(url, method, body) {
  const response = await fetch(url, { method, body: body && JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${method} ${new URL(url).pathname}: ${value.error}: ${value.message}`);
  return value;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
