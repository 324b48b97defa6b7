// Made-up differences between two moments: the capper stops, what comes after it waits.

import type { CompareRequest, Comparison, TagDifference, UnitDifference } from '../../generated/api';

const BASE = { connection: 0, tag: null, fromMs: null, toMs: null, lost: null, status: 0, detail: '' };

export function fakeComparison({ aMs, bMs }: CompareRequest): Comparison {
  const early = Math.min(aMs, bMs);
  const span = Math.abs(bMs - aMs);
  const none = { aMs, bMs, units: [], tags: [], moreTags: 0, sameTags: 240, links: [], notices: [] };
  if (span < 1000) return none;
  const at = (share: number) => Math.round(early + span * share);
  return {
    aMs, bMs,
    units: [
      unit(1, 'Execute', 'Aborted', 598, 0, at(0.31)), unit(2, 'Execute', 'Suspended', 594, 0, at(0.36)),
      unit(3, 'Execute', 'Suspended', 590, 0, at(0.41)), unit(0, 'Execute', 'Execute', 598, 601, null),
    ],
    tags: [
      tag(8, 6, 9, at(0.31), 2), tag(9, 598.4, 0, at(0.3), 41), { ...tag(12, 17.32, 0.4, at(0.305), 388), b: { ...value(0.4, bMs), trust: 'late' } },
      tag(13, 61.2, 66.9, at(0.02), 402), { ...tag(14, 6.2, NaN, at(0.55), 12), b: { value: null, text: null, status: 0x808c0000, trust: 'bad', sourceMs: bMs - 900 } },
      tag(17, 594, 0, at(0.36), 44), tag(16, 6, 5, at(0.36), 1), tag(24, 6, 5, at(0.41), 1), tag(25, 590, 0, at(0.41), 40),
    ],
    moreTags: 0, sameTags: 231,
    links: [],
    notices: [
      { ...BASE, seq: 31, atMs: at(0.54), kind: 'gapServerOverflow', tag: 14, lost: 3, fromMs: at(0.53), toMs: at(0.54) },
      { ...BASE, seq: 32, atMs: at(0.8), kind: 'metaChanged', tag: 13 },
    ],
  };
}

function unit(id: number, aState: string, bState: string, aRate: number, bRate: number, firstChangedMs: number | null): UnitDifference {
  const made = 118_000 + 700 * id;
  return { unit: id, aState, bState, aRate, bRate, aGood: made, bGood: made + 2_140 - 300 * id, aReject: 210, bReject: id === 1 ? 261 : 212, firstChangedMs };
}

function value(of: number, at: number) {
  return { value: of, text: null, status: 0, trust: 'live' as const, sourceMs: at - 240 };
}

function tag(id: number, a: number, b: number, firstChangedMs: number, samples: number): TagDifference {
  return { tag: id, a: value(a, firstChangedMs), b: value(b, firstChangedMs + 1000), firstChangedMs, samples };
}
