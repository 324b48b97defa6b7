// OPC UA status codes in words: what the operator reads, and the code for who repairs it.
//
// Codes and bits: OPC 10000-4, 7.39. Information bits are masked before a code is looked up, otherwise a
// limit or overflow bit would hide the reason.

import { t } from './index';
import { type Group, STATUS_CODES, type Why } from './status-codes';

export interface StatusWords {
  readonly group: Group;
  readonly why: Why;
  /** One or two words for a column: `Sensor fault`. */
  readonly quality: string;
  /** The reason as part of a sentence, with limit and overflow bits. */
  readonly reason: string;
  /** The limit and overflow bits alone; empty where there are none. */
  readonly remarks: string;
  /** OPC name and number: `BadSensorFailure 0x808C0000`. */
  readonly code: string;
  readonly severity: 'good' | 'uncertain' | 'bad';
}

export function statusWords(status: number): StatusWords {
  const severity = severityOf(status);
  const known = STATUS_CODES.get((status & 0xffff0000) >>> 0);
  const hex = `0x${(status >>> 0).toString(16).toUpperCase().padStart(8, '0')}`;
  const [name, group, why] = known ?? ([null, FALLBACK[severity], 'other'] as const);
  const reason = t(`status.why.${why}`, { code: hex });
  return {
    group,
    why,
    quality: t(`status.group.${group}`),
    reason: [reason, ...remarks(status)].join(', '),
    remarks: remarks(status).join(', '),
    code: name === null ? hex : `${name} ${hex}`,
    severity,
  };
}

/** Bits 31:30; the reserved fourth pattern counts as bad. */
export function severityOf(status: number): StatusWords['severity'] {
  return (['good', 'uncertain', 'bad', 'bad'] as const)[status >>> 30];
}

/** What the other bits add; limit and overflow mean something only where the type says "data value". */
function remarks(status: number): string[] {
  const found = CHANGED.flatMap(([bit, key]) => ((status & bit) === 0 ? [] : [t(key)]));
  if ((status & DATA_VALUE) === 0) return found;
  const limit = ([null, 'status.limit.low', 'status.limit.high', 'status.limit.constant'] as const)[(status >> 8) & 3];
  if ((status & OVERFLOW) !== 0) found.unshift(t('status.overflow'));
  if (limit !== null) found.unshift(t(limit));
  return found;
}

const CHANGED = [[0x4000, 'status.semantics'], [0x8000, 'status.structure']] as const;
const DATA_VALUE = 0x0400;
const OVERFLOW = 0x0080;
const FALLBACK = { good: 'good', uncertain: 'doubtful', bad: 'bad' } as const satisfies Record<string, Group>;
