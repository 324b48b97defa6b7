// The facts of a recording and the counts of its check, as rows of names and words.

import type { ShiftInfo, VerifyView } from '../../generated/api';
import type { FactRow } from '../../kit/facts';
import { formatBytes, formatNumber } from '../../kit/format';
import type { PlantTime } from '../../kit/plant-time';
import { t } from '../../messages';
import { lengthText, timeOf } from './rows';

export function factsOf(info: ShiftInfo): FactRow[] {
  const time = timeOf(info.timeZone);
  const count = (n: number | null) => (n === null ? null : formatNumber(n));
  return [
    { name: t('shifts.fact.recorded'), text: spanText(info.fromMs, info.toMs, time, info.date) },
    { name: t('shifts.fact.duration'), text: lengthText(info.toMs - info.fromMs) },
    { name: t('shifts.fact.planned'), text: info.scheduled ? spanText(info.shiftStartMs, info.shiftEndMs, time, info.date) : t('shifts.unscheduled') },
    { name: t('shifts.fact.zone'), text: `${info.timeZone} (${time.abbreviation(info.fromMs)})` },
    { name: t('shifts.fact.stops'), text: count(info.stops) },
    { name: t('shifts.fact.gaps'), text: count(info.gaps) },
    { name: t('shifts.fact.marks'), text: count(info.marks) },
    { name: t('shifts.fact.size'), text: formatBytes(info.bytes) },
    { name: t('shifts.fact.format'), text: String(info.format) },
    { name: t('shifts.fact.path'), text: info.path },
  ];
}

/** `said`: the date that need not be told again. */
export function checkRows(view: VerifyView, time: PlantTime, said = ''): FactRow[] {
  const n = formatNumber;
  const differs = view.differsAtMs !== null;
  return [
    { name: t('shifts.check.digests'), text: t('shifts.check.of', { n: n(view.digestsEqual), total: n(view.digests) }), weight: differs ? 'warning' : null },
    ...(view.differsAtMs === null ? [] : [{ name: t('shifts.check.differs'), text: momentText(view.differsAtMs, time, said) }]),
    { name: t('shifts.check.inputs'), text: n(view.inputs) },
    { name: t('shifts.check.batches'), text: n(view.batches) },
    { name: t('shifts.check.blocks'), text: n(view.blocks) },
    { name: t('shifts.check.keyframes'), text: n(view.keyframes) },
    { name: t('shifts.check.took'), text: `${n(view.tookMs / 1000, 1)} s` },
  ];
}

/** `2026-11-21 06:00:00–14:00:00`, with the second date where it is another day, without a date that is `said` already. */
export function spanText(from: number, to: number, time: PlantTime, said = ''): string {
  const until = time.date(from) === time.date(to) ? time.seconds(to) : `${time.date(to)} ${time.seconds(to)}`;
  return `${momentText(from, time, said)}–${until}`;
}

function momentText(at: number, time: PlantTime, said: string): string {
  return time.date(at) === said ? time.seconds(at) : `${time.date(at)} ${time.seconds(at)}`;
}
