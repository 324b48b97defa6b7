// Keeps one session current, the plant's or a recording's: says hello, then asks for one frame after the other, never two at a time.
//
// At most one request per PACE_MS, on an animation frame; slower while the page is hidden or very many tags
// are watched. An answer that does not come within SILENT_MS makes the session `silent`, so that no value
// goes on looking alive. Failures are retried for ever; only a recording that is not open any more ends it. The clock read here paces requests; it never reaches
// the screen.

import { CallError, type Platform } from '../platform';
import { decodeFrame } from './frame';
import { jumped, type Session } from './session';

export const PACE_MS = 100;
/** Replay is looked at while it is scrubbed. */
export const PACE_REPLAY_MS = 50;
export const PACE_HIDDEN_MS = 2_000;
/** With more watched tags than this the request itself is large. */
export const WATCH_MANY = 2_000;
export const PACE_MANY_MS = 1_000;
export const SILENT_MS = 3_000;
export const RETRY_MS = 500;
/** How often a page without a plant looks whether there is one now. */
export const HELLO_AGAIN_MS = 3_000;
/** Animation frames can stop while a window is covered; then this carries on. */
const FRAME_AT_LATEST_MS = 250;
const WATCHDOG_MS = 250;

export class Puller {
  private watch: readonly number[] = [];
  private fresh = false;
  private greeted = false;
  /** When the answer that counts was last due to be asked for. Moves on only with such an answer, so that a request that
   *  hangs, one that fails, and one that is never made are all found by the same look at the clock. */
  private dueAt = 0;
  private stopped = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly platform: Platform,
    private readonly session: Session,
    /** Called after every change of the session. */
    private readonly changed: () => void,
    /** An opened recording; null: the plant, whatever its epoch. */
    private readonly recording: number | null = null,
  ) {}

  start(): void {
    this.dueAt = performance.now();
    this.watchdog = setInterval(() => this.lookForSilence(), WATCHDOG_MS);
    void this.turn();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    clearInterval(this.watchdog);
  }

  /** Says which tags are visible; their values come with the next frame, changed or not. */
  setWatch(ids: readonly number[]): void {
    this.watch = ids;
    this.fresh = true;
  }

  private async turn(): Promise<void> {
    const began = performance.now();
    let pause: number;
    try {
      const pulled = this.greeted;
      pause = pulled ? await this.pull() : await this.greet();
      if (pulled || !this.greeted) this.answered(began + pause);
      this.changed();
    } catch (cause) {
      pause = this.failed(CallError.from(cause));
    }
    if (!this.stopped) this.next(Math.max(0, pause - (performance.now() - began)));
  }

  private async greet(): Promise<number> {
    const before = this.session.hello;
    const hello = await this.platform.call('hello', this.recording === null ? null : { epoch: this.recording });
    this.greeted = hello.plant !== null;
    // While there is no plant, only another answer is news.
    if (this.greeted || JSON.stringify(before) !== JSON.stringify(hello)) this.session.greet(hello);
    this.fresh = true;
    return this.greeted ? 0 : HELLO_AGAIN_MS;
  }

  private async pull(): Promise<number> {
    const { session, watch, fresh } = this;
    const epoch = session.hello?.epoch ?? 0;
    this.fresh = false;
    let buffer: ArrayBuffer;
    try {
      buffer = await this.platform.frame({ epoch, cursor: session.cursor, watch: [...watch], fresh });
    } catch (cause) {
      this.fresh ||= fresh;
      throw cause;
    }
    const frame = decodeFrame(buffer);
    if (frame.epoch !== epoch) throw new CallError('stale', 'the frame belongs to another epoch');
    // After a jump every value on the screen may be another one.
    this.fresh ||= jumped(session.playback, frame.tail.replay) && session.playback !== null;
    session.apply(frame, performance.now());
    if (document.hidden) return PACE_HIDDEN_MS;
    if (watch.length > WATCH_MANY) return PACE_MANY_MS;
    return this.recording === null ? PACE_MS : PACE_REPLAY_MS;
  }

  /** Where there is a plant, only a frame proves that its values are current: a greeting alone proves nothing. */
  private answered(nextDue: number): void {
    this.dueAt = Math.max(nextDue, performance.now());
    this.session.trouble = null;
    this.session.phase = this.greeted ? 'live' : 'problems';
  }

  private failed(error: CallError): number {
    // Whoever answers next may be another run of the program: its cursors are not ours.
    this.greeted = false;
    if (error.code === 'stale') return this.recording === null ? 0 : this.ended();
    this.session.trouble = error.message;
    return RETRY_MS;
  }

  /** Sessions of recordings do not come back: their epochs are given once. */
  private ended(): number {
    this.stop();
    this.session.phase = 'ended';
    this.changed();
    return 0;
  }

  private lookForSilence(): void {
    if (this.session.phase === 'silent' || performance.now() - this.dueAt < SILENT_MS) return;
    this.session.phase = 'silent';
    this.changed();
  }

  private next(pauseMs: number): void {
    this.timer = setTimeout(() => {
      if (document.hidden) void this.turn();
      else this.onAnimationFrame(() => void this.turn());
    }, pauseMs);
  }

  private onAnimationFrame(run: () => void): void {
    let ran = false;
    const once = () => {
      // Whichever comes second comes to a loop that has gone on: it must not touch the timer of its next turn.
      if (ran || this.stopped) return;
      ran = true;
      clearTimeout(timer);
      run();
    };
    const timer = setTimeout(once, FRAME_AT_LATEST_MS);
    this.timer = timer;
    requestAnimationFrame(once);
  }
}
