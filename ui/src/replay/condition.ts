// A condition as somebody types it: "tag below 1.2 for 5 s". Values are in the unit that is shown.

import type { Condition, ConditionOp } from '../generated/api';

export interface Draft {
  readonly tag: number | null;
  readonly op: ConditionOp;
  readonly value: string;
  readonly seconds: string;
}

export const FIRST_DRAFT: Draft = { tag: null, op: 'below', value: '', seconds: '0' };

/** The condition, or what is missing. */
export function conditionOf({ tag, op, value, seconds }: Draft): Condition | { readonly problem: 'noTag' | 'noValue' | 'noSpan' } {
  if (tag === null) return { problem: 'noTag' };
  const limit = numberOf(value);
  if (limit === null) return { problem: 'noValue' };
  const span = seconds.trim() === '' ? 0 : numberOf(seconds);
  if (span === null || span < 0) return { problem: 'noSpan' };
  return { tag, op, value: limit, forMs: span * 1000 };
}

/** A number with point or comma, thousands apart or not; null: it is none. */
function numberOf(text: string): number | null {
  const plain = text.trim().replace(/[\s\u202f\u00a0]/g, '').replace('\u2212', '-').replace(',', '.');
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : null;
}
