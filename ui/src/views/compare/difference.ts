// What differs between two moments, as rows: units first, then links, then tags; in order of the first change.

import type { Comparison, LinkDifference, PlantInfo, TagDifference, TagInfo, UnitDifference, ValueAt } from '../../generated/api';
import { formatMeasured, formatNumber, formatRate } from '../../kit/format';
import { t, tOr } from '../../messages';
import { statusWords } from '../../messages/status';
import { wordsOf, matches } from '../../session/tag-filter';
import { figureLook, type FigureLook, trustShape } from '../words';

export type Group = 'unit' | 'link' | 'tag';

/** A value as it stood at one of the moments. */
export interface Cell {
  readonly text: string;
  readonly look: FigureLook;
  /** Shape beside a value that is not to be believed; null: it is good. */
  readonly shape: ReturnType<typeof trustShape> | null;
  /** Why, in words. */
  readonly why: string;
}

export interface DifferenceRow {
  readonly key: string;
  readonly group: Group;
  readonly name: string;
  /** What of it: `speed`. */
  readonly what: string;
  readonly unit: string;
  /** Words, not numbers of the process. */
  readonly words: boolean;
  readonly a: Cell;
  readonly b: Cell;
  /** B minus A, of numbers. */
  readonly change: string;
  readonly firstChangedMs: number | null;
  readonly samples: number | null;
}

/** Where names come from; null: not known yet. */
export interface Names {
  readonly plant: PlantInfo | null;
  tag(id: number): TagInfo | null;
}

export function rowsOf(comparison: Comparison, names: Names): DifferenceRow[] {
  const first = (row: { firstChangedMs: number | null }) => row.firstChangedMs ?? Infinity;
  const byTime = <T extends { firstChangedMs: number | null }>(rows: readonly T[]) => rows.toSorted((x, y) => first(x) - first(y) || 0);
  return [
    ...byTime(comparison.units).flatMap((unit) => unitRows(unit, names)),
    ...byTime(comparison.links).map((link) => linkRow(link, names)),
    ...byTime(comparison.tags).map((tag) => tagRow(tag, names)),
  ];
}

/** Rows whose name or values have all words of the search. */
export function filtered(rows: readonly DifferenceRow[], search: string): readonly DifferenceRow[] {
  const words = wordsOf(search);
  if (words.length === 0) return rows;
  return rows.filter(({ name, what, a, b }) => matches(`${name}\n${what}\n${a.text}\n${b.text}`.toLowerCase(), words));
}

/** The earliest change there is; null: none is known. */
export function firstChange(rows: readonly DifferenceRow[]): number | null {
  const known = rows.flatMap(({ firstChangedMs }) => (firstChangedMs === null ? [] : [firstChangedMs]));
  return known.length === 0 ? null : Math.min(...known);
}

const GOOD = { look: 'live', shape: null, why: '' } as const;
const UNKNOWN: Cell = { text: '–', look: 'none', shape: null, why: '' };

function unitRows(unit: UnitDifference, { plant }: Names): DifferenceRow[] {
  const name = plant?.units.find(({ id }) => id === unit.unit)?.name ?? t('compare.unit', { id: unit.unit });
  const product = plant?.product ?? '';
  const row = (what: string, measure: string, a: Cell, b: Cell, change: string, firstChangedMs: number | null): DifferenceRow => ({
    key: `unit-${unit.unit}-${what}`, group: 'unit', name, what, unit: measure, words: measure === '', a, b, change, firstChangedMs, samples: null,
  });
  const rows: DifferenceRow[] = [];
  if (unit.aState !== unit.bState) {
    rows.push(row(t('figure.state'), '', stateCell(unit.aState), stateCell(unit.bState), '', unit.firstChangedMs));
  }
  const number = (what: string, measure: string, a: number | null, b: number | null, format: (n: number) => string) => {
    if (a === b) return;
    rows.push(row(what, measure, numberCell(a, format), numberCell(b, format), changeText(a, b, format), null));
  };
  number(t('figure.rate'), `${product}${t('line.perMinute')}`, unit.aRate, unit.bRate, formatRate);
  number(t('figure.good'), product, unit.aGood, unit.bGood, formatNumber);
  number(t('figure.reject'), product, unit.aReject, unit.bReject, formatNumber);
  return rows;
}

function stateCell(state: string): Cell {
  return { ...GOOD, look: state === 'Unknown' ? 'none' : 'live', text: tOr(`state.${state}`, state) };
}

function numberCell(value: number | null, format: (n: number) => string): Cell {
  return value === null ? UNKNOWN : { ...GOOD, text: format(value) };
}

function changeText(a: number | null, b: number | null, format: (n: number) => string): string {
  if (a === null || b === null) return '';
  return b - a > 0 ? `+${format(b - a)}` : format(b - a);
}

function linkRow(link: LinkDifference, { plant }: Names): DifferenceRow {
  const cell = (up: boolean): Cell => ({ ...GOOD, text: t(up ? 'link.up' : 'link.down') });
  return {
    key: `link-${link.connection}`, group: 'link', name: plant?.connections.find(({ id }) => id === link.connection)?.name ?? String(link.connection),
    what: t('compare.link'), unit: '', words: true, a: cell(link.aUp), b: cell(link.bUp), change: '', firstChangedMs: link.firstChangedMs, samples: null,
  };
}

function tagRow(difference: TagDifference, names: Names): DifferenceRow {
  const tag = names.tag(difference.tag);
  const { a, b } = difference;
  const range = tag?.range ?? null;
  const named = (tag?.texts.length ?? 0) > 0 || a.text !== null || b.text !== null;
  return {
    key: `tag-${difference.tag}`, group: 'tag', name: tag?.name ?? t('event.tag', { id: difference.tag }), what: tag?.description ?? '',
    unit: tag?.unit ?? '', words: named, a: valueCell(a, tag), b: valueCell(b, tag),
    change: named ? '' : changeText(a.value, b.value, (n) => formatMeasured(n, range)),
    firstChangedMs: difference.firstChangedMs, samples: difference.samples,
  };
}

function valueCell(at: ValueAt, tag: TagInfo | null): Cell {
  const look = figureLook(at.trust);
  const shape = at.trust === 'live' ? null : trustShape(at.trust);
  const why = at.trust === 'live' ? '' : at.trust === 'bad' || at.trust === 'uncertain' ? statusWords(at.status).reason : t(`trust.${at.trust}`);
  return { text: look === 'none' ? '–' : valueText(at, tag), look, shape, why };
}

function valueText({ value, text }: ValueAt, tag: TagInfo | null): string {
  if (text !== null) return text;
  if (value === null) return '–';
  const named = tag?.texts.find((one) => one.value === value);
  return named === undefined ? formatMeasured(value, tag?.range ?? null) : `${named.text} (${formatNumber(value)})`;
}
