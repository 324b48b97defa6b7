// The recorded shifts: the running one is found, checked, exported, brought in again, compared with itself, and asked what if.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configuration, plant } from '../support/programs.mjs';
import { HOST, openScreen } from '../support/screen.mjs';

const texts = (id) => `[...document.querySelectorAll('[data-testid="${id}"]')].map((e) => e.textContent.replace(/\\s+/g, ' ').trim())`;

test('the recorded shifts', async (t) => {
  const line = await plant(t);
  const screen = await openScreen(t, { plant: await configuration(t, line), data: line.data });
  let exported = null;
  const evaluate = (source) => screen.driver.evaluate(source);
  const seen = (what, pattern) => screen.until(what, (page, [source]) => new RegExp(source).test(page.everything), [pattern.source]);
  await screen.until('all units live', (page) => page.units.length > 0 && page.units.every((unit) => unit.trust === 'live'));
  line.say('jam Capper 4 s');
  await screen.until('the capper stands', (page) => page.units.some((unit) => unit.name === 'Capper' && unit.state !== 'Execute'));
  await screen.until('the capper runs again', (page) => page.units.every((unit) => unit.name !== 'Capper' || unit.state === 'Execute'));

  await t.test('begin with the one that is being written, whole and true so far', async () => {
    await screen.click('nav-shifts');
    await seen('the running shift', /1 recording .*recording now/);
    await screen.click('shift-check');
    await seen('the verdict', /Whole and true\./);
  });

  await t.test('are exported as a table and as a recording', async () => {
    await screen.click('shift-export');
    for (const format of ['csv', 'shift']) {
      await screen.click(`export-${format}`);
      await screen.click('export-run');
      const { page } = await screen.until(`the ${format}`, (page, ending) => page.everything.includes(`.${ending} ·`), format);
      assert.doesNotMatch(page.everything, /Nothing was exported/);
    }
    exported = await evaluate(`document.querySelector('[data-testid="export-download"]')?.href ?? null`);
    await screen.click('dialog-close');
  });

  await t.test('take in what somebody drops, once', { skip: HOST === 'window' ? 'the window gives no file to the page' : false }, async () => {
    for (const state of ['done', 'known']) {
      await evaluate(`(${drop})(${JSON.stringify(exported)})`);
      await screen.until(state, (page, wanted) => [...document.querySelectorAll('[data-testid="upload"]')].some((e) => e.dataset.state === wanted), state);
    }
    assert.equal((await evaluate(texts('shift-row'))).length, 2);
  });

  await t.test('are compared moment by moment', async () => {
    await screen.click('shift-open');
    await screen.until('the replay', (page) => page.mode === 'REPLAY');
    await screen.click('nav-compare');
    await screen.click('here-a');
    const clock = `document.querySelector('[data-testid="clock"]').textContent`;
    const began = await evaluate(clock);
    await evaluate(`window.dispatchEvent(new KeyboardEvent('keydown', { key: 'End' }))`);
    await screen.until('it stands elsewhere', (page, before) => document.querySelector('[data-testid="clock"]').textContent !== before, began);
    await screen.click('here-b');
    await seen('what differs', /What differs .* apart/);
    await screen.until('rows', () => document.querySelectorAll('[data-testid="difference"]').length > 3);
    const rows = await evaluate(texts('difference'));
    assert.ok(rows.every((row) => !/NaN|undefined|null/.test(row)), rows.join('\n'));
  });

  await t.test('are laid side by side on one clock', async () => {
    await screen.click('compare-shifts');
    if (HOST === 'window') return seen('one is too few', /This needs two recordings/);
    await screen.until('the units of both', () => document.querySelectorAll('[data-testid="pair-unit"]').length === 5);
    return undefined;
  });

  await t.test('say what would have been, and write nothing', async () => {
    await screen.click('nav-whatif');
    await seen('the sign', /WHAT-IF.*Nothing of it is written to the recording/);
    await screen.until('the settings', () => document.querySelectorAll('[data-testid="parameter"]').length > 3);
    await screen.driver.type('[data-path$="minorStopS"] input, [data-path*="minor_stop"] input', '1');
    await screen.click('whatif-run');
    await screen.until('the result', () => document.querySelector('[data-testid="whatif-result"]')?.dataset.state === 'done');
    await screen.click('whatif-all');
    assert.match((await evaluate(texts('figure'))).join('\n'), /Stops Capper/);
  });

  assert.deepEqual(screen.faults(), []);
});

/** Runs in the page: what the host gives out at `url` comes back as a file that is dropped. */
async function drop(url) {
  const files = new DataTransfer();
  files.items.add(new File([await (await fetch(url)).blob()], 'from-elsewhere.shift'));
  const target = document.querySelector('[data-testid="shifts"]');
  target.dispatchEvent(new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true }));
}
