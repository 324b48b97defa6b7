// What-if: what is typed becomes changes, and results become rows.

import { afterEach, describe, expect, it } from 'vitest';
import type { FigurePair, ParameterView, WhatIfRequest } from '../../generated/api';
import { setDecimalMark } from '../../kit/format';
import { CallError, type Platform } from '../../platform';
import { fake } from '../../platform/fake';
import { fakePlant } from '../../platform/fake/plant';
import { changesOf, entryOf, fieldText, figureRows, grouped, numberOf, parameterUnit } from './figures';
import { Trial, trialOf } from './trial.svelte';

afterEach(() => setDecimalMark('.'));

const target: ParameterView = { path: 'line.target_rate', subject: '', kind: 'targetRate', value: 600 };
const limit: ParameterView = { path: 'unit.Capper.max', subject: 'Capper', kind: 'maxRate', value: null };

describe('what is typed', () => {
  it.each([['12', 12], ['12,5', 12.5], [' 12.5 ', 12.5], ['', null], ['fast', null], ['1e3', null], ['1.2.3', null], ['0x10', null], ['-4', -4]])('"%s" is %s', (text, value) => {
    expect(numberOf(text)).toBe(value);
  });

  it.each([
    [target, {}, 'same'], [target, { 'line.target_rate': '600' }, 'same'], [target, { 'line.target_rate': '600,0' }, 'same'], [target, { 'line.target_rate': '580' }, 'changed'],
    [target, { 'line.target_rate': '' }, 'changed'], [target, { 'line.target_rate': 'much' }, 'wrong'], [target, { 'line.target_rate': '-1' }, 'wrong'],
    [limit, { 'unit.Capper.max': '' }, 'same'], [limit, { 'unit.Capper.max': '900' }, 'changed'],
  ] as const)('%o with %o is %s', (parameter, typed, entry) => expect(entryOf(parameter, typed)).toBe(entry));

  it('becomes only the changes; an emptied field takes a setting away', () => {
    expect(changesOf([target, limit], { 'line.target_rate': '', 'unit.Capper.max': '900,5', 'gone': '1' })).toEqual([
      { path: 'line.target_rate', value: null }, { path: 'unit.Capper.max', value: 900.5 },
    ]);
  });

  it('is written with the decimal mark of every keyboard', () => {
    setDecimalMark(',');
    expect([fieldText(12.5), fieldText(null), numberOf(fieldText(1234.5))]).toEqual(['12.5', '', 1234.5]);
  });
});

describe('settings', () => {
  it('are grouped by what they belong to, and found by its name or their own', () => {
    const of = (search: string) => grouped([target, limit], search).map(({ subject, own }) => `${subject}:${own.length}`);
    expect([of(''), of('capper'), of('line target'), of('nothing')]).toEqual([[':1', 'Capper:1'], ['Capper:1'], [':1'], []]);
    expect([parameterUnit('targetRate', 'bottles'), parameterUnit('maxAgeS', 'bottles')]).toEqual(['bottles/min', 's']);
  });
});

describe('figures', () => {
  const plant = fakePlant('good');
  const pair = (kind: FigurePair['kind'], unit: number | null, recorded: number | null, whatIf: number | null): FigurePair => ({ kind, unit, recorded, whatIf });

  it.each([
    [pair('stoppedS', 1, 1284, 1200), 'Capper|Stopped||21m 24s|20m 00s|−1m 24s'], [pair('stops', null, 7, 9), 'Line|Stops||7|9|+2'],
    [pair('rateAgainstIdeal', 1, 0.846, 0.9024), 'Capper|Speed against best speed|%|84.6|90.2|+5.6'], [pair('meanRate', 0, 541.2, 541.2), 'Filler|Mean speed|bottles/min|541|541|'],
    [pair('good', null, 119420, null), 'Line|Good|bottles|119_420|–|'], [pair('lateS', 77, null, null), 'Unit 77|Values late||–|–|'],
  ])('%o', (figure, words) => {
    const [row] = figureRows([figure], plant);
    expect([row.of, row.name, row.unit, row.recorded, row.whatIf, row.difference].join('|').replaceAll('\u202f', '_')).toBe(words);
  });

  it('that differ come first', () => {
    const rows = figureRows([pair('good', 0, 1, 1), pair('good', 1, 1, 2), pair('good', 2, null, null), pair('good', 3, 1, null)], plant);
    expect(rows.map(({ key, differs }) => [key, differs])).toEqual([['good-1', true], ['good-3', true], ['good-0', false], ['good-2', false]]);
  });
});

describe('a trial', () => {
  function trial(answer?: () => Promise<never>) {
    const asked: WhatIfRequest[] = [];
    const made = fake('good');
    const call = ((name: string, request: never) => {
      if (name === 'what_if') asked.push(request);
      return name === 'what_if' && answer !== undefined ? answer() : made.call(name as 'hello', request);
    }) as Platform['call'];
    return { of: new Trial({ ...made, call }, 7), asked };
  }

  it('runs with what was changed, and knows when its result belongs to other settings', async () => {
    const { of, asked } = trial();
    await of.load();
    await of.run();
    expect(asked).toEqual([]);
    of.type('line.minor_stop_s', '120');
    await of.run();
    expect([asked, of.outdated]).toEqual([[{ epoch: 7, changes: [{ path: 'line.minor_stop_s', value: 120 }] }], false]);
    of.type('line.target_rate', 'x');
    expect([of.wrong, of.outdated]).toEqual([true, false]);
    await of.run();
    expect(asked).toHaveLength(1);
    of.reset('line.target_rate');
    of.type('line.minor_stop_s', '60');
    expect([of.wrong, of.outdated]).toEqual([false, true]);
    of.reset();
    expect(of.changes).toEqual([]);
  });

  it('says why it failed, and can run again', async () => {
    const { of } = trial(() => Promise.reject(new CallError('internal', 'The file went away.')));
    await of.load();
    of.type('line.minor_stop_s', '120');
    await of.run();
    expect([of.failure, of.running, of.result]).toEqual(['The file went away.', false, null]);
  });

  it('stays while somebody looks elsewhere, and is another for another recording', () => {
    const platform = fake('good');
    const first = trialOf(platform, 1);
    expect([trialOf(platform, 1) === first, trialOf(platform, 2) === first]).toEqual([true, false]);
  });
});
