// Which two recordings are laid side by side, and which instants of them belong together.

import type { PinName } from './pins.svelte';

export const NAMES = ['a', 'b'] as const satisfies readonly PinName[];

/** What lies on top of each other: the starts of the shifts, or a moment of each. */
export type Alignment = 'start' | 'moments';

export class Pair {
  /** Recordings, by their ids. */
  a = $state.raw<string | null>(null);
  b = $state.raw<string | null>(null);
  align = $state.raw<Alignment>('start');
  /** The moments that belong together, ms; null: the start of the shift. */
  moments = $state.raw<Readonly<Record<PinName, number | null>>>({ a: null, b: null });
  /** The two shifts are looked at, not two moments of one. */
  shown = $state.raw(false);

  /** Lays a recording in one of the two places; a moment of another recording means nothing in it. */
  choose(name: PinName, shift: string | null): void {
    this.shown = true;
    if (this[name] === shift) return;
    this[name] = shift;
    this.moments = { ...this.moments, [name]: null };
  }

  at(name: PinName, moment: number | null): void {
    this.moments = { ...this.moments, [name]: moment };
    this.align = 'moments';
  }

  swap(): void {
    [this.a, this.b] = [this.b, this.a];
    this.moments = { a: this.moments.b, b: this.moments.a };
  }
}

/** There is one pair for the screen. */
export const pair = new Pair();
