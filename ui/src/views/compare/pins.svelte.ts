// Two moments of one recording, pinned for comparison. Set from the replay bar or from the Compare view.

export type PinName = 'a' | 'b';

export class Pins {
  /** The recording that they belong to, by its id; null: none is pinned. */
  shift = $state.raw<string | null>(null);
  /** ms since 1970 UTC. */
  a = $state.raw<number | null>(null);
  b = $state.raw<number | null>(null);

  /** A pin in another recording than before voids the other pin. */
  pin(name: PinName, shift: string, atMs: number): void {
    if (this.shift !== shift) this.clear();
    this.shift = shift;
    this[name] = atMs;
  }

  /** The pin where it belongs to this recording. */
  at(name: PinName, shift: string): number | null {
    return this.shift === shift ? this[name] : null;
  }

  swap(): void {
    [this.a, this.b] = [this.b, this.a];
  }

  clear(): void {
    this.shift = null;
    this.a = null;
    this.b = null;
  }
}

/** There is one pair for the screen. */
export const pins = new Pins();
