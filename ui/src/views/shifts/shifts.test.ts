// The library of shifts: order and words of the rows, files on their way in, and what an export asks for.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ExportRequest, ShiftInfo } from '../../generated/api';
import { CallError, PIECE_BYTES, type Platform } from '../../platform';
import { fake } from '../../platform/fake';
import { checkRows, factsOf, spanText } from './facts';
import { Exporting } from './exporting.svelte';
import { Library } from './library.svelte';
import { foundBy, lengthText, nameOf, type Order, rowOf, sorted, timeOf, turned } from './rows';
import { upload } from './upload';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 10, 21, 5);
const INFO: ShiftInfo = {
  id: 'x', file: 'line3-2026-11-21-early.shift', path: '/shifts/line3-2026-11-21-early.shift', line: 'Line 3', timeZone: 'Europe/Berlin', date: '2026-11-21',
  shift: 'Early', scheduled: true, crew: 'B', shiftStartMs: START, shiftEndMs: START + 8 * HOUR, fromMs: START, toMs: START + 8 * HOUR, bytes: 9_300_000,
  state: 'complete', problem: '', format: 2, gaps: 1, stops: 7, marks: 0, pinned: false, clip: null, outside: false,
};
const info = (change: Partial<ShiftInfo>): ShiftInfo => ({ ...INFO, ...change });

describe('a row', () => {
  it('is told in the time of the plant that it was recorded in, and names the zone only where it is another', () => {
    expect(rowOf(INFO, 'Europe/Berlin')).toMatchObject({
      shift: 'Early', who: 'crew B · Line 3', span: '06:00–14:00', zone: '', duration: '8h 00m', size: '9.3 MB', stops: '7', gaps: '1', state: 'complete', weight: null,
    });
    expect(rowOf(info({ timeZone: 'Europe/Lisbon' }), 'Europe/Berlin')).toMatchObject({ span: '05:00–13:00', zone: 'WET' });
  });

  it('says what it does not know', () => {
    expect(rowOf(info({ stops: null, gaps: null, crew: null, scheduled: false, shift: '' }), null)).toMatchObject({
      stops: '–', gaps: '–', who: 'Line 3', shift: 'Outside the calendar',
    });
  });

  it.each([['recording', null], ['complete', null], ['interrupted', 'notice'], ['damaged', 'warning']] as const)('%s weighs %s', (state, weight) => {
    expect(rowOf(info({ state }), null).weight).toBe(weight);
  });

  it.each([
    ['', true], ['early line', true], ['crew b', true], ['2026-11-21', true], ['early late', false], ['kept', false], ['complete', true],
  ])('is found by "%s": %s', (search, found) => expect(foundBy(search, rowOf(INFO, null))).toBe(found));

  it.each([[8 * HOUR - 240, '8h 00m'], [HOUR - 1_000, '59m 59s'], [HOUR - 400, '1h 00m'], [25 * 60_000, '25m 00s'], [4.21 * HOUR, '4h 12m']])('of %d ms is %s long', (ms, text) => {
    expect(lengthText(ms)).toBe(text);
  });

  it('has a name in one line', () => expect(nameOf(INFO)).toBe('2026-11-21 Early · crew B · Line 3'));
});

describe('the order', () => {
  const rows = [
    info({ id: 'old', fromMs: START - 9 * HOUR, toMs: START, stops: 3, bytes: 5, pinned: true, state: 'damaged' }),
    info({ id: 'unknown', fromMs: START - 8 * HOUR, stops: null, bytes: 7, shift: 'Late' }),
    info({ id: 'now', fromMs: START, toMs: START + HOUR, stops: 1, bytes: 1, state: 'recording' }),
    info({ id: 'new', fromMs: START - HOUR, toMs: START, stops: 9, bytes: 9, shift: 'Night', state: 'interrupted' }),
  ].map((one) => rowOf(one, null));

  it.each([
    [{ by: 'date', down: true }, 'now new unknown old'], [{ by: 'date', down: false }, 'now old unknown new'],
    // Nobody knows how many stops: that is neither few nor many.
    [{ by: 'stops', down: true }, 'now new old unknown'], [{ by: 'stops', down: false }, 'now old new unknown'],
    [{ by: 'size', down: true }, 'now new unknown old'], [{ by: 'state', down: true }, 'now old new unknown'],
    [{ by: 'kept', down: true }, 'now old new unknown'], [{ by: 'shift', down: false }, 'now old unknown new'],
    [{ by: 'duration', down: false }, 'now new old unknown'],
  ] as [Order, string][])('by %j, the running shift first', (order, ids) => {
    expect(sorted(rows, order).map((row) => row.info.id).join(' ')).toBe(ids);
  });

  it('turns at the second touch of a column', () => {
    const first = turned({ by: 'date', down: true }, 'size');
    expect([first, turned(first, 'size'), turned(first, 'shift')]).toEqual([
      { by: 'size', down: true }, { by: 'size', down: false }, { by: 'shift', down: false },
    ]);
  });
});

describe('facts', () => {
  it('name the second date where there is one', () => {
    const time = timeOf('Europe/Berlin');
    expect(spanText(START, START + HOUR, time)).toBe('2026-11-21 06:00:00–07:00:00');
    expect(spanText(START, START + HOUR, time, '2026-11-21')).toBe('06:00:00–07:00:00');
    expect(spanText(START + 16 * HOUR, START + 24 * HOUR, time)).toBe('2026-11-21 22:00:00–2026-11-22 06:00:00');
  });

  it('leave what is not known open', () => {
    expect(factsOf(info({ gaps: null })).find(({ name }) => name === 'Gaps in the values')?.text).toBeNull();
  });

  it('weigh a state that replay does not reach', () => {
    const view = { intact: false, batches: 1, inputs: 2, blocks: 3, keyframes: 4, digestsEqual: 7, digests: 8, differsAtMs: START, damaged: [], structure: [], tookMs: 1500 };
    expect(checkRows(view, timeOf('Europe/Berlin')).slice(0, 2)).toEqual([
      { name: 'States that replay reaches', text: '7 of 8', weight: 'warning' }, { name: 'First state that differs', text: '2026-11-21 06:00:00' },
    ]);
    expect(checkRows({ ...view, differsAtMs: null }, timeOf('UTC'))[0].weight).toBeNull();
  });
});

/** A platform that keeps pieces; each answer to `put` can be another. */
function keeping(answers: (CallError | null)[] = []) {
  const pieces: [number, number][] = [];
  const made = fake('good');
  const put: Platform['put'] = (ticket, offset, bytes) => {
    const answer = answers.shift() ?? null;
    if (answer !== null) return Promise.reject(answer);
    pieces.push([offset, bytes.byteLength]);
    return made.put(ticket, offset, bytes);
  };
  return { platform: { ...made, put }, pieces };
}

const file = (name: string, bytes: number) => new File([new Uint8Array(bytes)], name);
const lost = () => new CallError('unreachable', 'gone');
const quiet = { progress: () => undefined, stopped: () => false };

describe('an import', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const through = async <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => undefined);
    await vi.advanceTimersByTimeAsync(20_000);
    return work;
  };

  it('goes in pieces, the last one shorter', async () => {
    const { platform, pieces } = keeping();
    const shares: number[] = [];
    const done = await through(upload(platform, file('other.shift', 2 * PIECE_BYTES + 5), { ...quiet, progress: (share) => shares.push(share) }));
    expect(pieces).toEqual([[0, PIECE_BYTES], [PIECE_BYTES, PIECE_BYTES], [2 * PIECE_BYTES, 5]]);
    expect(shares.at(-1)).toBe(1);
    expect(done?.known).toBe(false);
  });

  it('sends a piece again that was not answered, from where it was', async () => {
    const { platform, pieces } = keeping([null, lost(), lost(), lost()]);
    await through(upload(platform, file('other.shift', PIECE_BYTES + 3), quiet));
    expect(pieces).toEqual([[0, PIECE_BYTES], [PIECE_BYTES, 3]]);
  });

  it.each([
    ['silence that lasts', [lost(), lost(), lost(), lost()], 'unreachable'], ['a refusal', [new CallError('refused', 'The disk is full.')], 'refused'],
  ] as const)('ends with %s', async (_, answers, code) => {
    const { platform, pieces } = keeping([...answers]);
    await expect(through(upload(platform, file('other.shift', 3), quiet))).rejects.toMatchObject({ code });
    expect(pieces).toEqual([]);
  });

  it('stops when nobody wants it any more', async () => {
    const { platform, pieces } = keeping();
    const done = await through(upload(platform, file('other.shift', 2 * PIECE_BYTES), { ...quiet, stopped: () => pieces.length === 1 }));
    expect([done, pieces.length]).toEqual([null, 1]);
  });

  it('takes several one after the other, and says what became of each', async () => {
    const library = new Library(keeping().platform);
    await library.load();
    const known = library.list?.shifts[1].file ?? '';
    await through(library.bring([file('other.shift', 10), file(known, 10), file('photo.png', 10)]));
    expect(library.uploads.map(({ file, state }) => [file.name, state])).toEqual([['other.shift', 'done'], [known, 'known'], ['photo.png', 'refused']]);
    expect(library.uploads[2].detail).toContain('photo.png');
    expect(library.find('other.shift')).toBeDefined();
    library.dismiss(library.uploads[0].number);
    expect(library.uploads).toHaveLength(2);
  });

  it('that did not come through can be tried again', async () => {
    const library = new Library(keeping([lost(), lost(), lost(), lost()]).platform);
    await through(library.bring([file('other.shift', 10)]));
    expect(library.uploads[0].state).toBe('broken');
    await through(library.retry(library.uploads[0].number));
    expect(library.uploads[0].state).toBe('done');
  });
});

describe('the library', () => {
  it('keeps and checks, and says what went wrong', async () => {
    const library = new Library(fake('good'));
    await library.load();
    const damaged = library.list?.shifts.find(({ state }) => state === 'damaged')?.id ?? '';
    await library.pin(damaged, true);
    expect(library.find(damaged)?.pinned).toBe(true);
    await library.check(damaged);
    expect(library.checks[damaged]).toMatchObject({ state: 'done', view: { intact: false } });
    await library.check('not there');
    expect(library.checks['not there']).toMatchObject({ state: 'failed' });
  });

  it('keeps the list that it has when the next one cannot be had', async () => {
    const made = fake('good');
    let fails = false;
    const library = new Library({ ...made, call: (name, request) => (fails ? Promise.reject(lost()) : made.call(name, request)) });
    await library.load();
    fails = true;
    await library.load();
    expect([library.failure, (library.list?.shifts.length ?? 0) > 0]).toEqual(['gone', true]);
  });
});

describe('an export', () => {
  function exporting(of = INFO) {
    const asked: ExportRequest[] = [];
    const made = fake('good');
    const call = ((name: string, request: never) => {
      if (name === 'export') asked.push(request);
      if (name === 'export') return Promise.resolve({ file: 'f', path: '/f', url: null, bytes: 1, rows: 2 });
      if (name === 'open') return Promise.resolve({ epoch: 1, shift: 'x' });
      return name === 'close' ? Promise.resolve(null) : made.call(name as 'hello', request);
    }) as Platform['call'];
    return { of: new Exporting({ ...made, call }, of), asked };
  }

  it('is of the whole recording at first', async () => {
    const { of, asked } = exporting();
    await of.run();
    expect(asked).toEqual([{ shift: 'x', fromMs: INFO.fromMs, toMs: INFO.toMs, tags: [], format: 'shift' }]);
    expect(of.done?.rows).toBe(2);
  });

  it('leaves out nothing of what is stamped finer than a millisecond', async () => {
    const { of, asked } = exporting(info({ fromMs: START + 0.4, toMs: START + 99.2 }));
    await of.run();
    expect([asked[0].fromMs, asked[0].toMs]).toEqual([START, START + 100]);
  });

  it('takes typed times and chosen tags', async () => {
    const { of, asked } = exporting();
    of.whole = false;
    [of.from, of.to, of.format] = ['07:00', '07:30:30', 'csv'];
    of.allTags = false;
    await of.loadTags();
    of.search = 'capper bearing';
    of.tickFound(true);
    of.tick(of.found[0].id);
    await of.run();
    expect(asked[0]).toMatchObject({ fromMs: START + HOUR, toMs: START + 1.5 * HOUR + 30_000, format: 'csv' });
    expect(asked[0].tags.length).toBe(of.found.length - 1);
  });

  it.each([['7', '08:00'], ['09:00', '08:00'], ['07:00', '15:00']])('does not run from %s to %s', async (from, to) => {
    const { of, asked } = exporting();
    [of.whole, of.from, of.to] = [false, from, to];
    await of.run();
    expect([of.ready, asked.length]).toEqual([false, 0]);
  });

  it('does not run without a tag where tags are to be chosen', () => {
    const { of } = exporting();
    of.allTags = false;
    expect(of.ready).toBe(false);
  });

  it('is cut to what is recorded around a position', () => {
    const { of } = exporting();
    of.stretch(START - HOUR, START + 5 * 60_000);
    expect([of.from, of.to]).toEqual(['06:00:00', '06:05:00']);
  });
});
