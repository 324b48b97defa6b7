// Writes frames as crates/api does (docs/FRAME.md): for tests, the benchmark and made-up data.

import type { FrameTail, Trust } from '../../generated/api';
import { HEADER_BYTES, KINDS, type Kind, MAGIC, NO_TEXT, TRUSTS } from '../../session/frame';

export interface FakeValue {
  readonly id: number;
  readonly value: number;
  readonly kind?: Kind;
  readonly trust?: Trust;
  readonly status?: number;
  readonly text?: string;
  readonly sourceTime?: number;
  readonly serverTime?: number;
  readonly received?: number;
}

export interface FakeFrame {
  readonly flags?: number;
  readonly epoch?: number;
  readonly at?: number;
  readonly seq?: number;
  readonly values?: readonly FakeValue[];
  readonly tail?: Partial<Omit<FrameTail, 'texts'>>;
}

export const EMPTY_TAIL: FrameTail = {
  texts: [], links: null, recorder: null, shift: null, reports: 0, meta: 0, units: null, strips: null, output: null, notices: [],
  noticesDropped: 0, replay: null,
};

export function encodeFrame(frame: FakeFrame): ArrayBuffer {
  const values = frame.values ?? [];
  const texts = values.flatMap((v) => (v.text === undefined ? [] : [v.text]));
  const tail = new TextEncoder().encode(JSON.stringify({ ...EMPTY_TAIL, ...frame.tail, texts }));
  const n = values.length;
  const narrow = (4 * n + 7) & ~7;
  const tailAt = HEADER_BYTES + 32 * n + 4 * narrow;
  const buffer = new ArrayBuffer(tailAt + tail.byteLength);
  const out = new DataView(buffer);
  [MAGIC, frame.flags ?? 0, frame.epoch ?? 1, n, tail.byteLength, 0].forEach((word, i) => out.setUint32(4 * i, word, true));
  out.setFloat64(24, frame.at ?? 0, true);
  out.setFloat64(32, frame.seq ?? 0, true);
  writeColumns(out, values, narrow);
  new Uint8Array(buffer, tailAt).set(tail);
  return buffer;
}

function writeColumns(out: DataView, values: readonly FakeValue[], narrow: number): void {
  const n = values.length;
  let text = 0;
  values.forEach((v, i) => {
    [v.value, v.sourceTime ?? NaN, v.serverTime ?? NaN, v.received ?? NaN].forEach((x, column) =>
      out.setFloat64(HEADER_BYTES + 8 * (column * n + i), x, true),
    );
    const kind = KINDS.indexOf(v.kind ?? 'float');
    const trust = TRUSTS.indexOf(v.trust ?? 'live');
    const words = [v.id, v.status ?? 0, kind | (trust << 4), v.text === undefined ? NO_TEXT : text++];
    words.forEach((word, column) => out.setUint32(HEADER_BYTES + 32 * n + column * narrow + 4 * i, word >>> 0, true));
  });
}
