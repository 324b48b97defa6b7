import { describe, expect, it } from 'vitest';
import type { LinkView, RecorderView, ReportView, UnitView } from '../generated/api';
import { fakeConnections } from '../platform/fake/connections';
import { fakePlant, START, tailOf } from '../platform/fake/plant';
import { conditionsOf, type Facts, inBanner, weightOf } from './conditions';

const tail = tailOf('good', START, true);
const link = (tail.links ?? [])[0];
const recorder = tail.recorder as RecorderView;
const units = tail.units as UnitView[];
const FACTS: Facts = { at: START, plant: fakePlant('good'), problems: 0, links: [link], told: [], recorder, units };

const withLink = (change: Partial<LinkView>): Partial<Facts> => ({ links: [{ ...link, ...change }] });
const withUnit = (index: number, change: Partial<UnitView>): Partial<Facts> => ({
  units: units.map((unit, i) => (i === index ? { ...unit, ...change } : unit)),
});
const [facts] = fakeConnections('good', START).connections;
const told = (change: Partial<ReportView>): Partial<Facts> => ({ told: [{ ...facts, report: { ...(facts.report as ReportView), ...change } }] });
const DAY = 86_400_000;
const kinds = (change: Partial<Facts>) => conditionsOf({ ...FACTS, ...change }).map(({ kind }) => kind);

describe('conditionsOf', () => {
  it.each<[string, Partial<Facts>, string[]]>([
    ['nothing is wrong', {}, []],
    ['link down', withLink({ state: 'down', refused: 3, doubtful: 9 }), ['linkDown']],
    ['connecting', withLink({ state: 'connecting' }), ['linkConnecting']],
    ['an attempt during an outage is still an outage', withLink({ state: 'connecting', status: 0x80310000 }), ['linkDown']],
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
    ['all is well, and told so', told({}), []],
    ['a shutdown is announced', told({ shutdownS: 95, serverState: 'shutdown' }), ['serverShutdown']],
    ['the server does not run', told({ serverState: 'failed' }), ['serverState']],
    ['degraded', told({ serviceLevel: 199 }), ['serviceLevel']],
    ['clock 2 s off', told({ clockSkewMs: -2_000 }), []],
    ['clock more than 2 s off', told({ clockSkewMs: -2_001 }), ['clockSkew']],
    ['server certificate in 29 days', told({ certificateExpiresMs: START + 29 * DAY }), ['serverCertificate']],
    ['server certificate in 30 days', told({ certificateExpiresMs: START + 30 * DAY }), []],
    ['own certificate has expired', told({ ownCertificateExpiresMs: START - DAY }), ['ownCertificate']],
    ['what a lost server told is old, but its certificate ends all the same',
      { ...withLink({ state: 'down' }), ...told({ serviceLevel: 1, clockSkewMs: 9_000, shutdownS: 1, certificateExpiresMs: START + DAY }) }, ['linkDown', 'serverCertificate']],
    ['facts of a connection that is gone', { ...withLink({ id: 9 }), ...told({ serviceLevel: 1 }) }, []],
    ['most important first', { ...withLink({ state: 'down' }), ...withUnit(1, { state: 'Aborted' }), problems: 1 }, ['linkDown', 'unitStopped', 'problems']],
  ])('%s', (_, change, expected) => expect(kinds(change)).toEqual(expected));

  it('puts the constraint before other stopped units, and weighs it more', () => {
    const stopped = { state: 'Aborted', stateSinceMs: 0 };
    const found = conditionsOf({ ...FACTS, units: units.map((unit) => ({ ...unit, ...stopped })) });
    expect(found.map((c) => (c.kind === 'unitStopped' ? c.name : ''))[0]).toBe('Capper');
    expect([weightOf(found[0]), weightOf(found[1])]).toEqual(['critical', 'warning']);
  });

  it.each<[number, string, boolean]>([[20, 'notice', false], [6, 'critical', true]])('certificate with %i days left', (days, weight, shown) => {
    const [condition] = conditionsOf({ ...FACTS, ...told({ ownCertificateExpiresMs: START + days * DAY }) });
    expect([weightOf(condition), inBanner(condition)]).toEqual([weight, shown]);
  });

  it('names our own certificate once for all connections', () => {
    const second = { ...link, id: 1 };
    const both = [link, second].map((of) => ({ ...facts, link: of, report: { ...(facts.report as ReportView), ownCertificateExpiresMs: START } }));
    expect(kinds({ links: [link, second], told: both })).toEqual(['ownCertificate']);
  });
});
