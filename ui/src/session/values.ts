// The last value of every tag that was ever watched, by tag id, in typed arrays.

import { type Frame, kindOf, type Kind, NO_TEXT, trustOf } from './frame';
import type { Trust } from '../generated/api';

/** One tag's last value, picked out for a row on the screen. */
export interface TagValue {
  readonly kind: Kind;
  readonly trust: Trust;
  /** Scaled; NaN where there is no number. */
  readonly value: number;
  readonly text: string | null;
  readonly status: number;
  /** ms; NaN where there is none. */
  readonly sourceTime: number;
  readonly serverTime: number;
  readonly received: number;
}

export class ValueStore {
  private values = new Float64Array(0);
  private sourceTimes = new Float64Array(0);
  private serverTimes = new Float64Array(0);
  private received = new Float64Array(0);
  private statuses = new Uint32Array(0);
  private flags = new Uint32Array(0);
  private known = new Uint8Array(0);
  private texts: (string | null)[] = [];

  /** Forgets everything and makes room for tags 0 to `tags - 1`. */
  reset(tags: number): void {
    this.values = new Float64Array(tags);
    this.sourceTimes = new Float64Array(tags);
    this.serverTimes = new Float64Array(tags);
    this.received = new Float64Array(tags);
    this.statuses = new Uint32Array(tags);
    this.flags = new Uint32Array(tags);
    this.known = new Uint8Array(tags);
    this.texts = new Array<string | null>(tags).fill(null);
  }

  /** Takes over a frame's values. Ids outside the configuration are ignored. */
  apply(frame: Frame): void {
    const { ids, count, tail } = frame;
    const room = this.known.length;
    for (let i = 0; i < count; i++) {
      const id = ids[i];
      if (id >= room) continue;
      this.values[id] = frame.values[i];
      this.sourceTimes[id] = frame.sourceTimes[i];
      this.serverTimes[id] = frame.serverTimes[i];
      this.received[id] = frame.received[i];
      this.statuses[id] = frame.statuses[i];
      this.flags[id] = frame.flags[i];
      this.known[id] = 1;
      const text = frame.texts[i];
      this.texts[id] = text === NO_TEXT ? null : (tail.texts[text] ?? null);
    }
  }

  /** Null: nothing is known of this tag because it has not been watched yet. */
  get(id: number): TagValue | null {
    if (this.known[id] !== 1) return null;
    const flags = this.flags[id];
    return {
      kind: kindOf(flags),
      trust: trustOf(flags),
      value: this.values[id],
      text: this.texts[id],
      status: this.statuses[id],
      sourceTime: this.sourceTimes[id],
      serverTime: this.serverTimes[id],
      received: this.received[id],
    };
  }

  /** Null: not watched yet. Cheaper than `get` for filtering all tags. */
  trust(id: number): Trust | null {
    return this.known[id] === 1 ? trustOf(this.flags[id]) : null;
  }
}
