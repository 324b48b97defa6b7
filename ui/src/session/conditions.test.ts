import { describe, expect, it } from 'vitest';
import type { LinkView, RecorderView, UnitView } from '../generated/api';
import { fakePlant, START, tailOf } from '../platform/fake/plant';
import { conditionsOf, type Facts, weightOf } from './conditions';

const tail = tailOf('good', START, true);
const link = (tail.links ?? [])[0];
const recorder = tail.recorder as RecorderView;
const units = tail.units as UnitView[];
const FACTS: Facts = { at: START, plant: fakePlant('good'), problems: 0, links: [link], recorder, units };

const withLink = (change: Partial<LinkView>): Partial<Facts> => ({ links: [{ ...link, ...change }] });
const withUnit = (index: number, change: Partial<UnitView>): Partial<Facts> => ({
  units: units.map((unit, i) => (i === index ? { ...unit, ...change } : unit)),
});
const kinds = (change: Partial<Facts>) => conditionsOf({ ...FACTS, ...change }).map(({ kind }) => kind);

describe('conditionsOf', () => {
  it.each<[string, Partial<Facts>, string[]]>([
    ['nothing is wrong', {}, []],
    ['link down', withLink({ state: 'down', refused: 3, doubtful: 9 }), ['linkDown']],
    ['connecting', withLink({ state: 'connecting' }), ['linkConnecting']],
    ['silent', withLink({ subscription: 'late' }), ['subscriptionLate']],
    ['values stand still', withLink({ subscription: 'frozen' }), ['subscriptionFrozen']],
    ['refused tags', withLink({ refused: 3, doubtful: 0 }), ['refused']],
    ['others are not good too', withLink({ refused: 3, doubtful: 5 }), ['refused', 'doubtful']],
    ['recorder failed', { recorder: { ...recorder, state: 'failed' } }, ['recorderFailed']],
    ['recorder lags', { recorder: { ...recorder, state: 'lagging' } }, ['recorderLagging']],
    ['recording is off on purpose', { recorder: { ...recorder, state: 'off' } }, []],
    ['the constraint stands for a second', withUnit(1, { state: 'Aborted', stateSinceMs: START - 1000 }), ['unitStopped']],
    ['another unit stands for a second', withUnit(2, { state: 'Aborted', stateSinceMs: START - 1000 }), []],
    ['another unit stands long', withUnit(2, { state: 'Held', stateSinceMs: START - 400_000 }), ['unitStopped']],
    ['waiting for others is no stop', withUnit(1, { state: 'Suspended', stateSinceMs: 0 }), []],
    ['a changeover is planned', withUnit(1, { state: 'Stopped', mode: 'Changeover', stateSinceMs: 0 }), []],
    ['a stop that is only last known is not acted on', withUnit(1, { state: 'Aborted', stateTrust: 'linkDown' }), []],
    ['unmapped state', withUnit(0, { unmapped: true, state: 'Unknown' }), ['unmapped']],
    ['problems', { problems: 2 }, ['problems']],
    ['most important first', { ...withLink({ state: 'down' }), ...withUnit(1, { state: 'Aborted' }), problems: 1 }, ['linkDown', 'unitStopped', 'problems']],
  ])('%s', (_, change, expected) => expect(kinds(change)).toEqual(expected));

  it('puts the constraint before other stopped units, and weighs it more', () => {
    const stopped = { state: 'Aborted', stateSinceMs: 0 };
    const found = conditionsOf({ ...FACTS, units: units.map((unit) => ({ ...unit, ...stopped })) });
    expect(found.map((c) => (c.kind === 'unitStopped' ? c.name : ''))[0]).toBe('Capper');
    expect([weightOf(found[0]), weightOf(found[1])]).toEqual(['critical', 'warning']);
  });
});
