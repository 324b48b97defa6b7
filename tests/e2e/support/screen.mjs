// What a person sees, read from the page by its test ids: the same on both hosts.
//
// A driver is the least that a browser and WebDriver have in common:
// `evaluate(source)`, `click(selector)`, `type(selector, text)`, `picture(path)`, and `faults`, the page's own errors.

import * as browser from './browser.mjs';
import * as window from './window.mjs';

/** Which host the journeys run on: the loopback host in Chromium, or the real desktop window. */
export const HOST = process.env.LINESIDE_HOST ?? 'browser';
const OPEN = { browser: browser.open, window: window.open };

/** Long enough for a loaded machine with software drawing; what matters is measured, not waited for. */
export const PATIENCE_MS = 30_000;

/** Opens the program on a plant. Ends with the test. */
export async function openScreen(t, options) {
  return new Screen(await OPEN[HOST](t, options));
}

class Screen {
  constructor(driver) {
    this.driver = driver;
  }

  /** Everything the journeys look at, as plain data. */
  read() {
    return this.driver.evaluate(`(${readPage})()`);
  }

  /**
   * Waits in the page until `condition(page, argument)` holds and returns what was read, with the time it
   * was first seen (`at`, ms since 1970). `condition` runs in the page: it may use its parameters only.
   */
  async until(what, condition, argument = null, patience = PATIENCE_MS) {
    const seen = await this.driver.evaluate(
      `(${watchPage})(${readPage}, ${condition}, ${JSON.stringify(argument)}, ${patience})`,
    );
    if (seen.at === null) throw new Error(`not within ${patience} ms: ${what}\n${JSON.stringify(seen.page, null, 1)}`);
    return seen;
  }

  click(id) {
    return this.driver.click(`[data-testid="${id}"]`);
  }

  type(id, text) {
    return this.driver.type(`[data-testid="${id}"]`, text);
  }

  picture(path) {
    return this.driver.picture(path);
  }
}

/** Runs in the page. */
function readPage() {
  const all = (root, id) => [...root.querySelectorAll(`[data-testid="${id}"]`)];
  const text = (root, id) => all(root, id)[0]?.textContent.replace(/\s+/g, ' ').trim() ?? null;
  const starting = (prefix) => [...document.querySelectorAll(`[data-testid^="${prefix}"]`)];
  return {
    title: document.title,
    language: document.documentElement.lang,
    theme: getComputedStyle(document.documentElement).colorScheme,
    background: getComputedStyle(document.body).backgroundColor,
    simulated: text(document, 'simulated'),
    mode: text(document, 'mode'),
    banner: text(document, 'banner'),
    recorder: text(document, 'recorder'),
    nav: [text(document, 'nav-line'), text(document, 'nav-tags')],
    links: starting('link-').map((link) => ({ id: link.dataset.testid, text: link.textContent.trim(), state: link.dataset.state })),
    problems: text(document, 'problems'),
    units: starting('unit-').map((card) => ({
      id: Number(card.dataset.testid.slice('unit-'.length)),
      text: card.textContent.replace(/\s+/g, ' ').trim(),
      state: text(card, 'state'),
      rate: text(card, 'rate'),
      good: text(card, 'good'),
      trust: all(card, 'trust').map((mark) => mark.dataset.trust ?? mark.textContent.trim()),
    })),
    tags: starting('tag-row').map((row) => ({
      name: row.dataset.tagName,
      text: row.textContent.replace(/\s+/g, ' ').trim(),
      trust: row.dataset.trust ?? null,
    })),
  };
}

/** Runs in the page. */
async function watchPage(read, condition, argument, patience) {
  const deadline = performance.now() + patience;
  for (;;) {
    const page = read();
    if (condition(page, argument)) return { at: Date.now(), page };
    if (performance.now() > deadline) return { at: null, page };
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
