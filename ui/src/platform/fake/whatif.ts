// Made-up parameters, and results that move with what was changed.

import type { FigureKind, FigurePair, ParameterKind, ParameterView, WhatIfParameters, WhatIfRequest, WhatIfResult } from '../../generated/api';
import { SHIFT_START } from './plant';

const UNITS = ['Filler', 'Capper', 'Labeller', 'Packer', 'Palletizer'];
const OF_UNIT: readonly [ParameterKind, number | null][] = [['idealRate', 640], ['bandLow', 570], ['bandHigh', 640], ['maxRate', null]];
const RECORDED: readonly [FigureKind, number | null, number][] = [
  ['outputAgainstTarget', null, 0.813], ['stops', null, 7], ['shortStops', null, 3], ['runningS', 1, 13_240], ['stoppedS', 1, 1_284],
  ['unknownS', 1, 600], ['good', 1, 119_420], ['reject', 1, 1_840], ['meanRate', 1, 541.2], ['rateAgainstIdeal', 1, 0.846], ['outsideBandS', 1, 742],
  ['lateS', 1, 41],
];
const BASE = { connection: 0, tag: null, fromMs: null, toMs: null, lost: null, status: 0, detail: '' };

export function fakeParameters(): WhatIfParameters {
  const line: ParameterView[] = [
    { path: 'line.target_rate', subject: '', kind: 'targetRate', value: 600 },
    { path: 'line.minor_stop_s', subject: '', kind: 'minorStopS', value: 300 },
  ];
  const units = UNITS.flatMap((subject) => OF_UNIT.map(([kind, value]) => ({ path: `unit.${subject}.${kind}`, subject, kind, value })));
  const ages = UNITS.map((unit) => ({ path: `tag.${unit}.Speed.max_age_s`, subject: `${unit}.Speed`, kind: 'maxAgeS' as const, value: 10 }));
  return { parameters: [...line, ...units, ...ages] };
}

export function fakeWhatIf({ changes }: WhatIfRequest): WhatIfResult {
  const value = (kind: string) => changes.find(({ path }) => path.endsWith(kind))?.value ?? null;
  const minor = value('minor_stop_s');
  const ideal = value('Capper.idealRate');
  const target = value('target_rate');
  const age = value('max_age_s');
  const other = (kind: FigureKind, recorded: number): number => {
    if (minor !== null && kind === 'stops') return minor < 300 ? recorded + 2 : recorded - 2;
    if (minor !== null && kind === 'shortStops') return minor < 300 ? recorded - 2 : recorded + 2;
    if (ideal !== null && kind === 'rateAgainstIdeal') return (recorded * 640) / ideal;
    if (target !== null && kind === 'outputAgainstTarget') return (recorded * 600) / target;
    return age !== null && kind === 'lateS' ? Math.max(0, recorded + 10 - age) : recorded;
  };
  const figures: FigurePair[] = RECORDED.map(([kind, unit, recorded]) => ({ kind, unit, recorded, whatIf: other(kind, recorded) }));
  const at = SHIFT_START + 7_240_000;
  return {
    figures,
    noticesGone: age !== null && age > 10 ? [{ ...BASE, seq: 1, atMs: at, kind: 'subscriptionLate' }] : [],
    noticesNew: age !== null && age < 10 ? [{ ...BASE, seq: 2, atMs: at, kind: 'subscriptionLate' }] : [],
    noticesSame: 12, caveats: [], inputs: 2_764_800, tookMs: 1_840,
  };
}
