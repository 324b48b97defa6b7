// What a unit card shows, from facts: which figures are current, and the one line that says why not.

import type { CounterView, Trust, UnitInfo, UnitView } from '../../generated/api';
import { t, type Key } from '../../messages';
import type { Shown } from '../../shell/screen.svelte';
import { type FigureLook, figureLook } from '../words';

export type FigureName = 'state' | 'rate' | 'good' | 'reject';

export interface Doubt {
  readonly trust: Shown;
  /** Empty: it concerns every figure of the card. */
  readonly figures: readonly FigureName[];
}

/** Reasons in the order in which they matter; `live` and `absent` are none. */
const ORDER: readonly Shown[] = [
  'noAnswer', 'linkDown', 'silent', 'frozen', 'refused', 'bad', 'unusable', 'waiting', 'late', 'uncertain',
];

/** The gravest reason why something on this card is not current, and what it concerns. */
export function doubtOf(info: UnitInfo, unit: UnitView, shown: (trust: Trust) => Shown): Doubt | null {
  const figures = figuresOf(info, unit).map(([name, trust]) => [name, shown(trust)] as const);
  for (const trust of ORDER) {
    const hit = figures.filter(([, of]) => of === trust).map(([name]) => name);
    if (hit.length > 0) return { trust, figures: hit.length === figures.length ? [] : hit };
  }
  return null;
}

/** The tag that answers for a doubt; null where the figure has none of its own. */
export function doubtedTag(info: UnitInfo, { figures }: Doubt): number | null {
  const tags = { state: info.stateTag, rate: info.speedTag ?? info.goodTag, good: info.goodTag, reject: info.rejectTag };
  const all = figures.length === 0 ? (Object.keys(tags) as FigureName[]) : figures;
  return all.map((figure) => tags[figure]).find((tag) => tag !== null) ?? null;
}

export function doubtWords({ trust, figures }: Doubt): string {
  const words = t(`trust.${trust}`);
  if (figures.length === 0) return words;
  return t('figure.note', { figures: figures.map((f) => t(`figure.${f}` as Key)).join(', '), words });
}

/** A number is only shown where there is one and its trust allows one. */
export function lookOf(value: number | null | undefined, trust: Shown): FigureLook {
  return value === null || value === undefined ? 'none' : figureLook(trust);
}

export function counterMarks(counter: CounterView | null): boolean {
  return counter !== null && (counter.acrossGaps > 0 || counter.resets > 0);
}

/** End of the speed scale: what the unit can do, or the most that was seen. */
export function rateScale(info: UnitInfo, unit: UnitView): number {
  const seen = unit.rates.map((rate) => rate ?? 0);
  return Math.max((info.idealRate ?? 0) * 1.06, info.band?.[1] ?? 0, unit.rate ?? 0, ...seen, 1);
}

function figuresOf(info: UnitInfo, unit: UnitView): [FigureName, Trust][] {
  const all: [FigureName, Trust, boolean][] = [
    ['state', unit.stateTrust, info.hasState],
    ['rate', unit.rateTrust, info.hasSpeed],
    ['good', unit.good?.trust ?? 'waiting', info.hasGood],
    ['reject', unit.reject?.trust ?? 'waiting', info.hasReject],
  ];
  return all.filter(([, , has]) => has).map(([name, trust]) => [name, trust]);
}
