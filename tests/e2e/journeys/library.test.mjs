// The library of shifts: what is recorded goes out as a clip and as a table, and comes in again; what is no recording is
// refused in words; a file opens by itself.

import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, configuration, folder, plant, program, start } from '../support/programs.mjs';
import { openScreen } from '../support/screen.mjs';

test('the library of shifts', async (t) => {
  const line = await plant(t);
  const screen = await openScreen(t, { plant: await configuration(t, line), data: line.data });
  const live = (page) => page.replay === null && page.units.length > 0 && page.units.every((unit) => unit.trust === 'live');
  const { page: first } = await screen.until('all units live', live);
  const counts = first.units.map((unit) => unit.counts);
  await screen.until('every count has changed', (page, before) => page.units.every((unit, i) => unit.counts !== before[i]), counts);

  const exported = async (choose) => {
    await screen.click('shift-export');
    await choose();
    await screen.click('export-run');
    const { page } = await screen.until('the file', (page) => page.exported !== null);
    await screen.click('dialog-close');
    return page.exported;
  };

  await t.test('lists the running shift, and keeps it when asked to', async () => {
    await screen.click('nav-shifts');
    await screen.until('the running shift', (page) => page.shifts.length === 1 && page.shifts[0].state === 'recording');
    await screen.click('shift-keep');
    await screen.until('it is kept', (page) => page.shifts[0].pinned);
  });

  await t.test('gives out a table with units, quality and both times', async () => {
    const path = await exported(() => screen.click('export-csv'));
    const text = await readFile(path, 'utf8');
    assert.match(text, /Filler\.Speed/);
    assert.match(text, /source_time|Source time/i, text.slice(0, 400));
  });

  let clip;
  await t.test('gives out a stretch as a recording of its own', async () => {
    clip = await exported(async () => {
      await screen.click('export-part');
      await screen.type('export-from', await screen.driver.evaluate(`(${secondLater})(document.querySelector('[data-testid="export-from"]').value)`));
    });
    assert.match(clip, /\.shift$/);
  });

  await t.test('takes it in, checks it, and opens it', async () => {
    await screen.bring('shifts-file', clip);
    await screen.until('it is there', (page) => page.uploads[0]?.state === 'done' && page.shifts.length === 2);
    await screen.clickOn('[data-testid="shift-row"][data-id^="imported:"]');
    await screen.click('shift-check');
    const { page } = await screen.until('the verdict', (page) => page.check !== null);
    assert.match(page.check, /Whole and true/);
    await screen.click('shift-open');
    await screen.until('the replay', (page) => page.replay?.framed && page.units.some((unit) => unit.name === 'Filler'));
    await screen.press('l');
    await screen.until('the list again', (page) => page.replay === null && page.shifts.length === 2);
  });

  await t.test('refuses what is no recording, in words, also when it is dropped', async () => {
    await screen.driver.evaluate(`(${dropText})('note.shift', 'not a recording')`);
    const { page } = await screen.until('the refusal', (page) => page.uploads.some(({ state }) => state === 'refused'));
    assert.match(page.uploads.find(({ state }) => state === 'refused').text, /note\.shift .{20}/);
    assert.equal(page.shifts.length, 2);
  });

  await t.test('the same for scripts', async () => {
    const check = start(t, program('lineside-server'), ['shift', 'verify', clip, '--json']);
    assert.equal(await check.ended, 0, check.log.join('\n'));
    assert.equal(JSON.parse(check.lines.join('\n')).intact, true);
    const note = join(line.home, 'note.shift');
    await writeFile(note, 'not a recording');
    assert.equal(await start(t, program('lineside-server'), ['shift', 'verify', note]).ended, 3);
  });

  assert.deepEqual(screen.faults(), [], 'errors in the page');
});

test('a recording that the program is started with opens at once, without a plant', async (t) => {
  const home = await folder(t);
  const recording = join(home, 'early.shift');
  await copyFile(join(ROOT, 'tests/recordings/format-1.shift'), recording);
  const screen = await openScreen(t, { data: join(home, 'data'), recording });
  const { page } = await screen.until('the replay', (page) => page.replay !== null && page.units.length > 0);
  assert.equal(page.mode, 'REPLAY');
  assert.ok(page.replay.framed);
  await screen.press('End');
  await screen.until('its end', (page, from) => page.replay.position > from, page.replay.from);
  await screen.click('back-to-live');
  await screen.until('there is no plant to show', (page) => page.replay === null && page.units.length === 0);
  assert.deepEqual(screen.faults(), [], 'errors in the page');
});

/** Runs in the page. The time in a field, a second later. */
function secondLater(text) {
  return text.replace(/(\d\d):(\d\d):(\d\d)/, (_, ...parts) => {
    const [hour, minute, second] = parts.slice(0, 3).map(Number);
    return new Date(((hour * 60 + minute) * 60 + second + 1) * 1000).toISOString().slice(11, 19);
  });
}

/** Runs in the page. What a browser does when a file is let go over the list. */
function dropText(name, text) {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([text], name));
  document.querySelector('[data-testid="shifts"]').dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
}
