// Decodes a frame (docs/FRAME.md) into typed arrays that lie over its bytes, without copying.

import type { FrameTail, Trust } from '../generated/api';

export const MAGIC = 0x3146534c;
export const HEADER_BYTES = 40;
/** In the text column: this value has no text. */
export const NO_TEXT = 0xffffffff;

export const FLAG_REPLAY = 1;
export const FLAG_SIMULATED = 2;

/** Value kinds, in the order of their numbers in the flags column. */
export const KINDS = ['empty', 'boolean', 'signed', 'unsigned', 'float', 'text', 'time', 'raw'] as const;
export type Kind = (typeof KINDS)[number];

/** Trusts, in the order of their numbers in the flags column. */
export const TRUSTS = [
  'live', 'uncertain', 'late', 'silent', 'linkDown', 'bad', 'refused', 'waiting', 'absent', 'unusable',
] as const satisfies readonly Trust[];

export interface Frame {
  readonly replay: boolean;
  readonly simulated: boolean;
  readonly epoch: number;
  /** "Now" of the session, ms since 1970 UTC. */
  readonly at: number;
  /** Cursor for the next request. */
  readonly seq: number;
  readonly count: number;
  readonly values: Float64Array;
  readonly sourceTimes: Float64Array;
  readonly serverTimes: Float64Array;
  readonly received: Float64Array;
  readonly ids: Uint32Array;
  readonly statuses: Uint32Array;
  readonly flags: Uint32Array;
  readonly texts: Uint32Array;
  readonly tail: FrameTail;
}

/** The bytes are not a frame as this page knows it. */
export class BadFrame extends Error {}

export function decodeFrame(buffer: ArrayBuffer): Frame {
  if (buffer.byteLength < HEADER_BYTES) throw new BadFrame(`a frame of ${buffer.byteLength} bytes has no header`);
  const head = new DataView(buffer);
  if (head.getUint32(0, true) !== MAGIC) throw new BadFrame('the magic number is wrong: page and program do not match');
  const count = head.getUint32(12, true);
  const tailBytes = head.getUint32(16, true);
  const wide = 8 * count;
  const narrow = (4 * count + 7) & ~7;
  const tailAt = HEADER_BYTES + 4 * wide + 4 * narrow;
  if (buffer.byteLength !== tailAt + tailBytes) {
    throw new BadFrame(`${buffer.byteLength} bytes where ${tailAt + tailBytes} were announced`);
  }
  const flags = head.getUint32(4, true);
  const f64 = (column: number) => new Float64Array(buffer, HEADER_BYTES + column * wide, count);
  const u32 = (column: number) => new Uint32Array(buffer, HEADER_BYTES + 4 * wide + column * narrow, count);
  return {
    replay: (flags & FLAG_REPLAY) !== 0,
    simulated: (flags & FLAG_SIMULATED) !== 0,
    epoch: head.getUint32(8, true),
    at: head.getFloat64(24, true),
    seq: head.getFloat64(32, true),
    count,
    values: f64(0),
    sourceTimes: f64(1),
    serverTimes: f64(2),
    received: f64(3),
    ids: u32(0),
    statuses: u32(1),
    flags: u32(2),
    texts: u32(3),
    tail: JSON.parse(utf8.decode(new Uint8Array(buffer, tailAt, tailBytes))) as FrameTail,
  };
}

export function kindOf(flags: number): Kind {
  return KINDS[flags & 0xf] ?? 'raw';
}

/** An unknown number is never shown as live. */
export function trustOf(flags: number): Trust {
  return TRUSTS[(flags >> 4) & 0xf] ?? 'bad';
}

const utf8 = new TextDecoder();
