// What a person sees, read from the page by its test ids: the same on both hosts.
//
// A driver is the least that a browser and WebDriver have in common:
// `evaluate(source)`, `click(selector)`, `type(selector, text)`, `press(key)`, `drag(from, to)`, `bring(selector, path)`,
// `picture(path)`, and `faults`, the page's own errors.

import * as browser from './browser.mjs';
import * as window from './window.mjs';

/** Which host the journeys run on: the loopback host in Chromium, or the real desktop window. */
export const HOST = process.env.LINESIDE_HOST ?? 'browser';
const OPEN = { browser: browser.open, window: window.open };

/** Long enough for a loaded machine with software drawing; what matters is measured, not waited for. */
export const PATIENCE_MS = 30_000;

/** More entries than a page has. */
const TABS_MAX = 80;

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
    if (seen.at === null) {
      const said = [...this.driver.host.log.slice(-10), ...this.driver.faults].join('\n');
      throw new Error(`not within ${patience} ms: ${what}\n${JSON.stringify(seen.page, null, 1)}\n${said}`);
    }
    return seen;
  }

  click(id) {
    return this.driver.click(`[data-testid="${id}"]`);
  }

  /** Clicks the first element that the CSS selector finds. */
  clickOn(selector) {
    return this.driver.click(selector);
  }

  type(id, text) {
    return this.driver.type(`[data-testid="${id}"]`, text);
  }

  /** Presses a key such as `n`, `Home` or `Shift+A`, wherever the focus is. */
  press(key) {
    return this.driver.press(key);
  }

  /** Types into whatever has the focus, key by key. */
  async write(text) {
    for (const key of text) await this.press(key === ' ' ? 'Space' : key);
  }

  /** Drags over an element, from one share of its width to another, at a share of its height. */
  async drag(id, from, to, height = 0.5) {
    const area = await this.driver.evaluate(`(({ x, y, width, height }) => ({ x, y, width, height }))(document.querySelector('[data-testid="${id}"]').getBoundingClientRect())`);
    const place = (share) => ({ x: area.x + share * area.width, y: area.y + height * area.height });
    await this.driver.drag(place(from), place(to));
  }

  /** Gives a file to a file field. */
  bring(id, path) {
    return this.driver.bring(`[data-testid="${id}"]`, path);
  }

  /** Moves the focus on with the Tab key until it is on the element. */
  async tabTo(id) {
    for (let presses = 0; presses < TABS_MAX; presses++) {
      if ((await this.read()).focus === id) return;
      await this.press('Tab');
    }
    throw new Error(`${id} is not reached with the Tab key`);
  }

  /** Errors that the page itself met. */
  faults() {
    return this.driver.faults;
  }

  picture(path) {
    return this.driver.picture(path);
  }
}

/** Runs in the page. */
function readPage() {
  const words = (element) => element?.textContent.replace(/\s+/g, ' ').trim() ?? null;
  const first = (id, root = document) => root.querySelector(`[data-testid="${id}"]`);
  const every = (selector) => [...document.querySelectorAll(selector)];
  const recorder = first('recorder');
  return {
    language: document.documentElement.lang,
    theme: document.documentElement.dataset.theme,
    background: getComputedStyle(document.body).backgroundColor,
    simulated: words(first('simulated')),
    mode: words(first('mode')),
    condition: first('banner')?.dataset.condition ?? null,
    recorder: recorder && { state: recorder.dataset.state, text: words(recorder) },
    nav: [words(first('nav-line')), words(first('nav-tags'))],
    links: every('[data-testid^="link-"]').map((link) => ({ text: words(link), state: link.dataset.state })),
    problems: every('[data-testid="problem"]').map(words),
    units: every('[data-testid^="unit-"]').map((card) => ({
      name: words(card.querySelector('.name b')),
      state: words(first('state', card)),
      rate: words(first('rate', card)),
      counts: words(card.querySelector('.counts')),
      trust: card.dataset.trust,
      rateTrust: card.querySelector('.rate')?.dataset.trust,
      standing: card.dataset.standing === 'true',
    })),
    tags: every('[data-testid="tag-row"]').map((row) => ({ name: row.dataset.tagName, trust: row.dataset.trust, text: words(row) })),
    connection: first('connection-state') && {
      state: first('connection-state').dataset.state,
      text: words(first('connection-state')),
      findings: every('[data-finding]').map((finding) => finding.dataset.finding),
    },
    refused: every('[data-testid="refused-row"]').map((row) => ({ name: row.dataset.tagName, text: words(row) })),
    gaps: every('[data-testid="gap-row"]').map((row) => ({ reason: row.dataset.reason, text: words(row) })),
    history: words(first('history-of-link')),
    why: words(first('why-sentence')),
    setup: first('setup') && {
      step: every('[data-testid^="step-"]').find((step) => step.ariaCurrent === 'step' || step.getAttribute('aria-current') === 'step')?.dataset.testid ?? null,
      errors: every('[data-testid="setup-error"], [data-testid="setup-problem"]').map(words),
      endpoints: every('[data-testid="endpoint"]').map((endpoint) => endpoint.dataset.grade),
      findings: every('[data-testid="finding"]').map(words),
      place: first('certificate')?.dataset.place ?? null,
      nodes: every('[data-testid="node-row"]').map((row) => row.dataset.name),
      value: words(first('node-value')),
      units: every('[data-testid="proposal-unit"]').length,
      proposed: every('[data-testid="proposal-tag"]').length,
      lines: first('setup-lines')?.textContent ?? null,
      written: words(first('setup-written')),
    },
    focus: document.activeElement?.dataset.testid ?? null,
    events: every('[data-testid="events"] [data-kind]').map((event) => ({ kind: event.dataset.kind, text: words(event) })),
    replay: first('replay-bar') && {
      playing: first('play').classList.contains('playing'),
      framed: first('replay-bar').closest('.app.replay') !== null,
      position: Number(first('time-bar')?.ariaValueNow ?? first('time-bar')?.getAttribute('aria-valuenow')),
      from: Number(first('time-bar')?.getAttribute('aria-valuemin')),
      to: Number(first('time-bar')?.getAttribute('aria-valuemax')),
      clock: words(first('position')),
      problem: words(first('time-problem')),
      said: words(first('replay-said')),
      answer: words(first('next-answer')),
      live: first('live-now') && { weight: first('live-now').dataset.weight, text: words(first('live-now')) },
      flags: every('[data-testid="flag"]').map((flag) => flag.ariaLabel ?? flag.getAttribute('aria-label')),
      zoomed: document.querySelector('.axis .where') !== null,
    },
    options: every('[data-testid="tag-option"]').map(words),
    marking: words(first('mark-dialog')),
    marked: words(first('mark-done')),
    failure: words(first('open-failure')),
    shifts: every('[data-testid="shift-row"]').map((row) => ({ id: row.dataset.id, state: row.dataset.state, pinned: row.dataset.pinned === 'true', text: words(row) })),
    uploads: every('[data-testid="upload"]').map((upload) => ({ state: upload.dataset.state, text: words(upload) })),
    check: words(first('check-verdict')),
    exported: words(first('export-done')?.querySelector('.path')),
    compare: first('compare-view') && {
      differences: every('[data-testid="difference"]').map((row) => ({ key: row.dataset.key, text: words(row) })),
      rows: every('[data-testid="pair-unit"]').length,
      text: words(first('compare-view')),
    },
    whatif: first('whatif') && {
      sign: words(first('whatif-sign')),
      state: first('whatif-result')?.dataset.state ?? null,
      parameters: every('[data-testid="parameter"]').map(words).join('\n'),
      figures: every('[data-testid="figure"][data-differs="true"]').map((row) => row.dataset.key),
      text: words(first('whatif-result')),
    },
    everything: words(document.body),
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
