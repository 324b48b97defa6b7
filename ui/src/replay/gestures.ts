// Pointers on the time bar: a press, a drag that scrubs, a drag that says what is repeated, two fingers that zoom. px.

export interface Acts {
  press(x: number, y: number): void;
  /** A second press in the same place; the first was told as one already. */
  twice(): void;
  scrub(x: number): void;
  /** A stretch is being drawn; `done`: it is the one. */
  stretch(from: number, to: number, done: boolean): void;
  pinch(middle: number, factor: number, moved: number): void;
  /** The next drag draws a stretch. */
  drawing(): boolean;
}

type Gesture =
  | { readonly kind: 'press' | 'scrub'; readonly x: number }
  | { readonly kind: 'stretch'; readonly from: number; readonly moved: boolean }
  | { readonly kind: 'pinch'; readonly apart: number; readonly middle: number };

/** Less is a press, not a drag. */
export const DRAG_PX = 4;
/** Two presses within this are one double press, ms. */
const TWICE_MS = 400;

export class Gestures {
  private gesture: Gesture | null = null;
  private readonly fingers = new Map<number, number>();
  private last = { x: 0, at: -Infinity };

  constructor(private readonly acts: Acts) {}

  down(pointer: number, x: number, shift: boolean): void {
    this.fingers.set(pointer, x);
    if (this.fingers.size === 2) this.gesture = this.spread();
    else if (shift || this.acts.drawing()) this.gesture = { kind: 'stretch', from: x, moved: false };
    else this.gesture = { kind: 'press', x };
  }

  move(pointer: number, x: number): void {
    if (!this.fingers.has(pointer)) return;
    this.fingers.set(pointer, x);
    const { gesture } = this;
    if (gesture?.kind === 'press' && Math.abs(x - gesture.x) >= DRAG_PX) this.gesture = { kind: 'scrub', x };
    if (this.gesture?.kind === 'scrub') this.acts.scrub(x);
    else if (gesture?.kind === 'stretch') this.draw(gesture, x);
    else if (gesture?.kind === 'pinch' && this.fingers.size === 2) this.zoom(gesture);
  }

  /** `at`: when, by the clock of events. */
  up(pointer: number, x: number, y: number, at: number): void {
    const { gesture } = this;
    this.cancel(pointer);
    if (gesture?.kind === 'scrub') this.acts.scrub(x);
    else if (gesture?.kind === 'stretch') this.acts.stretch(gesture.from, gesture.moved ? x : gesture.from, true);
    else if (gesture?.kind === 'press') this.pressed(x, y, at);
  }

  cancel(pointer: number): void {
    this.fingers.delete(pointer);
    this.gesture = null;
  }

  private pressed(x: number, y: number, at: number): void {
    const twice = at - this.last.at < TWICE_MS && Math.abs(x - this.last.x) < DRAG_PX;
    this.last = twice ? { x: 0, at: -Infinity } : { x, at };
    if (twice) this.acts.twice();
    else this.acts.press(x, y);
  }

  private draw(gesture: Gesture & { kind: 'stretch' }, x: number): void {
    const moved = gesture.moved || Math.abs(x - gesture.from) >= DRAG_PX;
    this.gesture = { ...gesture, moved };
    if (moved) this.acts.stretch(gesture.from, x, false);
  }

  private zoom(before: Gesture & { kind: 'pinch' }): void {
    const now = this.spread();
    this.gesture = now;
    this.acts.pinch(before.middle, before.apart / now.apart, now.middle - before.middle);
  }

  private spread(): Gesture & { kind: 'pinch' } {
    const [a, b] = [...this.fingers.values()];
    return { kind: 'pinch', apart: Math.max(1, Math.abs(a - b)), middle: (a + b) / 2 };
  }
}
