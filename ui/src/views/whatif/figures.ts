// Parameters and results of a what-if as rows: names, units, differences; what is typed becomes changes.

import type { FigureKind, FigurePair, ParameterChange, ParameterKind, ParameterView, PlantInfo } from '../../generated/api';
import { formatDuration, formatNumber, formatRate } from '../../kit/format';
import { t } from '../../messages';
import { matches, wordsOf } from '../../session/tag-filter';

/** What was typed for a parameter, by its path. */
export type Typed = Readonly<Record<string, string>>;

/** A number as people type it: `12,5` and `12.5` are the same. Null: empty, or no number. */
export function numberOf(text: string): number | null {
  const plain = text.trim().replace(',', '.').replace(/\s/g, '');
  if (plain === '') return null;
  const value = Number(plain);
  return Number.isFinite(value) && /^[-+]?[\d.]+$/.test(plain) ? value : null;
}

/** `same`: nothing was typed, or what is recorded. */
export type Entry = 'same' | 'changed' | 'wrong';

/** No parameter of a plant is negative, and only a limit may be taken away. */
export function entryOf(parameter: ParameterView, typed: Typed): Entry {
  const text = typed[parameter.path];
  if (text === undefined) return 'same';
  if (text.trim() === '') return parameter.value === null ? 'same' : 'changed';
  const value = numberOf(text);
  if (value === null || value < 0) return 'wrong';
  return value === parameter.value ? 'same' : 'changed';
}

/** What is sent. An emptied field takes the parameter away. */
export function changesOf(parameters: readonly ParameterView[], typed: Typed): ParameterChange[] {
  return parameters
    .filter((parameter) => entryOf(parameter, typed) === 'changed')
    .map(({ path }) => ({ path, value: numberOf(typed[path] ?? '') }));
}

/** As it is written in a field: no thousands, the decimal mark of every keyboard. */
export function fieldText(value: number | null): string {
  return value === null ? '' : String(value);
}

export function parameterUnit(kind: ParameterKind, product: string): string {
  return kind === 'maxAgeS' || kind === 'minorStopS' ? 's' : `${product}${t('line.perMinute')}`;
}

/** Parameters that a search finds, in order, by what they belong to. */
export function grouped(parameters: readonly ParameterView[], search: string): { subject: string; own: ParameterView[] }[] {
  const words = wordsOf(search);
  const groups = new Map<string, ParameterView[]>();
  for (const parameter of parameters) {
    const hay = `${parameter.subject === '' ? t('whatif.line') : parameter.subject}\n${t(`whatif.kind.${parameter.kind}`)}`.toLowerCase();
    if (matches(hay, words)) groups.set(parameter.subject, [...(groups.get(parameter.subject) ?? []), parameter]);
  }
  return [...groups].map(([subject, own]) => ({ subject, own }));
}

export interface FigureRow {
  readonly key: string;
  readonly of: string;
  readonly name: string;
  readonly unit: string;
  readonly recorded: string;
  readonly whatIf: string;
  /** What-if minus recorded; empty where one of them is not known. */
  readonly difference: string;
  readonly differs: boolean;
}

/** Those that differ first; otherwise in the order told. */
export function figureRows(figures: readonly FigurePair[], plant: PlantInfo | null): FigureRow[] {
  const rows = figures.map((pair) => figureRow(pair, plant));
  return [...rows.filter(({ differs }) => differs), ...rows.filter(({ differs }) => !differs)];
}

function figureRow({ kind, unit, recorded, whatIf }: FigurePair, plant: PlantInfo | null): FigureRow {
  const name = plant?.units.find(({ id }) => id === unit)?.name ?? (unit === null ? t('whatif.line') : t('compare.unit', { id: unit }));
  const { format, measure } = FIGURES[kind];
  const difference = recorded === null || whatIf === null ? null : whatIf - recorded;
  const sign = difference !== null && difference > 0 ? '+' : '';
  return {
    key: `${kind}-${unit}`, of: name, name: t(`whatif.figure.${kind}`), unit: measure(plant?.product ?? ''),
    recorded: recorded === null ? '–' : format(recorded), whatIf: whatIf === null ? '–' : format(whatIf),
    difference: difference === null || difference === 0 ? '' : sign + format(difference),
    differs: recorded !== whatIf,
  };
}

interface FigureForm {
  readonly format: (value: number) => string;
  readonly measure: (product: string) => string;
}

const span: FigureForm = { format: (s) => (s < 0 ? `−${formatDuration(-s * 1000)}` : formatDuration(s * 1000)), measure: () => '' };
const times: FigureForm = { format: (n) => formatNumber(n), measure: () => '' };
const products: FigureForm = { format: (n) => formatNumber(n), measure: (product) => product };
const rate: FigureForm = { format: formatRate, measure: (product) => `${product}${t('line.perMinute')}` };
const share: FigureForm = { format: (part) => formatNumber(part * 100, 1), measure: () => '%' };

const FIGURES: Record<FigureKind, FigureForm> = {
  runningS: span, stoppedS: span, unknownS: span, outsideBandS: span, lateS: span, stops: times, shortStops: times, good: products, reject: products,
  meanRate: rate, rateAgainstIdeal: share, outputAgainstTarget: share,
};
