// The controls of one opened recording: playing, seeking, searching, marking, and what its time bar shows.
//
// Positions come with frames and with the answers to commands; nothing here reads a clock. While somebody drags, at most
// 30 seeks a second are made, one at a time, and the last one counts.

import type {
  Condition, FindRequest, Found, LaneView, MarkView, PlayRequest, ReplayView, TimelineView,
} from '../generated/api';
import { type Key, type Params, t } from '../messages';
import { Latest } from '../session/latest';
import type { Session } from '../session/session';
import type { Screen } from '../shell/screen.svelte';
import { pair } from '../views/compare/pair.svelte';
import { pins, type PinName } from '../views/compare/pins.svelte';
import { type Draft, FIRST_DRAFT } from './condition';
import { contains, lengthOf, panned, revealing, roomFor, type Span, zoomed } from './span';
import { findOf, type Step } from './steps';

/** 30 seeks a second. */
const SEEK_PAUSE_MS = 33;
/** On the wire a time is good to a microsecond. So much later than an event the state surely has it. */
export const HAIR_MS = 0.001;
/** A running shift has grown by so much: its time bar is asked for again. */
const GROWN_MS = 5_000;
/** How soon again while the index of an old file is still being made. */
const INCOMPLETE_MS = 1_000;

export const SPEEDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 100, 200, 600, 1000] as const;
/** As fast as it can. */
export const MAX_SPEED = 0;

/** What the last command came to, in words. */
export interface Said {
  readonly text: string;
  readonly bad: boolean;
}

interface LaneWanted {
  readonly tag: number;
  readonly span: Span;
  readonly columns: number;
}

export class Deck {
  timeline = $state.raw<TimelineView | null>(null);
  lane = $state.raw<LaneView | null>(null);
  /** The tag whose course the time bar shows. */
  laneTag = $state.raw<number | null>(null);
  step = $state.raw<Step>({ what: 'stop', unit: null });
  said = $state.raw<Said | null>(null);
  /** Where somebody drags to; null: nobody does. */
  wanted = $state.raw<number | null>(null);
  /** The states of all units are shown. */
  unfolded = $state.raw(false);
  /** The bookmark whose facts are open. */
  flag = $state.raw<number | null>(null);
  /** The condition that is looked for, as typed. */
  draft = $state.raw<Draft>(FIRST_DRAFT);
  /** Its editor is open. */
  asking = $state.raw(false);
  /** A time is being typed. */
  typing = $state.raw(false);
  /** The next drag on the time bar sets what is repeated. */
  arming = $state.raw(false);
  /** What is looked for takes a moment. */
  searching = $state.raw(false);
  /** The stretch in view; null: the whole recording. */
  private chosen = $state.raw<Span | null>(null);
  /** The speed that play goes on with. */
  speed = $state.raw(1);

  readonly view: ReplayView | null = $derived.by(() => this.screen.playback);
  private readonly begin = $derived.by(() => this.view?.fromMs ?? 0);
  /** Until where it is recorded. */
  readonly end: number = $derived.by(() => Math.max(this.view?.toMs ?? 0, this.begin + 1));
  private readonly edge = $derived.by(() => (this.view?.growing === true ? this.begin + roomFor(this.end - this.begin) : this.end));
  /** What the time bar shows at most: of a running shift more than is recorded yet. */
  readonly whole: Span = $derived({ from: this.begin, to: this.edge });
  readonly span: Span = $derived(this.chosen ?? this.whole);
  /** Where the replay stands, or where somebody drags to. */
  readonly position: number = $derived(this.wanted ?? this.view?.positionMs ?? 0);

  private readonly seeker = new Latest<number>((at) => this.play({ action: 'seek', value: at }), SEEK_PAUSE_MS);
  private readonly lanes = new Latest<LaneWanted>((wanted) => this.askLane(wanted), SEEK_PAUSE_MS);
  private readonly timelines = new Latest<null>(() => this.askTimeline());
  private again: ReturnType<typeof setTimeout> | undefined;
  private lookup = 0;
  private closed = false;
  private lastPosition = 0;

  constructor(
    private readonly screen: Screen,
    readonly epoch: number,
    /** Id of the recording. */
    readonly shift: string,
    private readonly session: Session,
  ) {
    this.timelines.ask(null);
  }

  /** The recording is not shown any more. */
  close(): void {
    this.closed = true;
    clearTimeout(this.again);
    this.seeker.drop();
    this.lanes.drop();
  }

  /** A frame came. */
  hear(): void {
    const { view, timeline } = this;
    if (view === null) return;
    if (view.playing && view.speed !== this.speed) this.speed = view.speed;
    if (timeline !== null && view.growing && view.toMs - timeline.toMs > GROWN_MS) this.timelines.ask(null);
    // The view follows the position out of its edge, unless somebody has looked elsewhere.
    if (this.chosen !== null && this.wanted === null && contains(this.chosen, this.lastPosition)) {
      this.chosen = revealing(this.chosen, this.whole, view.positionMs, 0.1);
    }
    this.lastPosition = view.positionMs;
  }

  toggle(): void {
    const { view } = this;
    if (view?.playing === true) return void this.play({ action: 'pause' });
    // At its end a recording begins anew.
    if (view?.growing === false && this.position >= this.end) this.seek(this.begin);
    void this.play({ action: 'play', value: this.speed });
  }

  /** Plays on at this speed, or remembers it for the next play. */
  setSpeed(speed: number): void {
    this.speed = speed;
    if (this.view?.playing === true) void this.play({ action: 'play', value: speed });
  }

  /** One speed slower or faster. */
  shiftSpeed(by: 1 | -1): void {
    const all = [...SPEEDS, MAX_SPEED];
    this.setSpeed(all[Math.min(all.length - 1, Math.max(0, all.indexOf(this.speed as (typeof all)[number]) + by))]);
  }

  move(byMs: number): void {
    void this.play({ action: 'step', value: byMs });
  }

  /** Goes to an instant, and brings it into view. */
  seek(at: number): void {
    const to = this.within(at);
    if (this.chosen !== null) this.chosen = revealing(this.chosen, this.whole, to);
    this.seeker.ask(to);
  }

  /** Goes to where something happened: the state has it. */
  toEvent(at: number): void {
    this.seek(at + HAIR_MS);
  }

  /** Somebody drags: the state follows as fast as it can. */
  scrub(at: number): void {
    this.wanted = this.within(at);
    this.seeker.ask(this.wanted);
  }

  /** The end; of a running shift its moving end. */
  toEnd(): void {
    if (this.view?.growing === true) void this.play({ action: 'follow' });
    else this.seek(this.end);
  }

  loop(from: number, to: number): void {
    void this.play({ action: 'loop', value: this.within(Math.min(from, to)), untilMs: this.within(Math.max(from, to)) });
  }

  /** Ends the repeating, or lets the next drag on the time bar say what is repeated. */
  toggleLoop(): void {
    if (this.view?.loopFromMs == null) this.arming = !this.arming;
    else void this.play({ action: 'unloop' });
  }

  /** Pins one of the two moments that are compared. */
  pin(name: PinName): void {
    pins.pin(name, this.shift, this.position);
    this.say('replay.compare.pinned', { pin: name.toUpperCase(), time: this.screen.time.millis(this.position) });
  }

  /** Opens the comparison of the pinned moments; the one that is missing is here. */
  compare(): void {
    for (const name of ['a', 'b'] as const) {
      if (pins.at(name, this.shift) === null) pins.pin(name, this.shift, this.position);
    }
    pair.shown = false;
    this.screen.view = 'compare';
  }

  /** Goes to the next or the previous of what is chosen. */
  async find(forward: boolean): Promise<void> {
    const { step } = this;
    if (step.what === 'record') return this.play({ action: 'stepChange', value: forward ? 1 : -1 });
    const found = await this.ask(findOf(step, this.epoch, this.searchFrom(forward), forward));
    if (found === null) return;
    if (found.atMs === null) this.say(forward ? 'replay.none.forward' : 'replay.none.back', { what: this.stepWords(step) });
    else this.arrive(found, this.stepWords(step));
  }

  /** Goes to where a condition has held for long enough. Null: it does not, up to the end; undefined: it was not to be found out. */
  async findCondition(condition: Condition, forward: boolean): Promise<number | null | undefined> {
    const request = findOf({ what: 'notice' }, this.epoch, this.searchFrom(forward), forward);
    const found = await this.ask({ ...request, what: 'condition', condition });
    if (found === null) return undefined;
    if (found.atMs !== null) this.stopAt(found.atMs);
    return found.atMs;
  }

  async mark(at: number, text: string): Promise<void> {
    const made = await this.screen.platform.call('mark', { epoch: this.epoch, atMs: at, untilMs: null, text, author: null });
    this.takeMarks((marks) => [...marks.filter(({ id }) => id !== made.id), made].sort((a, b) => a.atMs - b.atMs));
  }

  async unmark(mark: MarkView): Promise<void> {
    try {
      await this.screen.platform.call('unmark', { epoch: this.epoch, mark: mark.id });
      this.takeMarks((marks) => marks.filter(({ id }) => id !== mark.id));
    } catch (cause) {
      this.fail(cause);
    }
  }

  /** The answer is taken as it is: the file of a running shift has it a moment later. */
  private takeMarks(change: (marks: readonly MarkView[]) => MarkView[]): void {
    if (this.timeline !== null) this.timeline = { ...this.timeline, marks: change(this.timeline.marks) };
  }

  /** Goes to a bookmark and opens its facts. Where several lie in one place, nearer they come apart. */
  pick(mark: MarkView, more: number): void {
    if (more > 0) this.zoom(mark.atMs, 0.25);
    this.seek(mark.atMs);
    this.flag = this.flag === mark.id ? null : mark.id;
  }

  zoom(at: number, factor: number): void {
    const span = zoomed(this.span, this.whole, at, factor);
    this.chosen = lengthOf(span) >= lengthOf(this.whole) ? null : span;
  }

  pan(byMs: number): void {
    if (this.chosen !== null) this.chosen = panned(this.chosen, this.whole, byMs);
  }

  showWhole(): void {
    this.chosen = null;
  }

  get zoomed(): boolean {
    return this.chosen !== null;
  }

  /** What the tag's lane needs for this width. */
  wantLane(columns: number): void {
    if (this.laneTag !== null && columns > 0) this.lanes.ask({ tag: this.laneTag, span: this.span, columns });
  }

  say(key: Key, params: Params = {}, bad = false): void {
    this.said = { text: t(key, params), bad };
  }

  stepWords(step: Step): string {
    switch (step.what) {
      case 'change':
        return t('replay.step.change.of', { tag: this.screen.directory.name(step.tag) ?? '' });
      case 'stop': {
        const unit = this.screen.plant?.units.find(({ id }) => id === step.unit);
        return unit === undefined ? t('replay.step.stop') : t('replay.step.stop.of', { unit: unit.name });
      }
      default:
        return t(`replay.step.${step.what}`);
    }
  }

  private within(at: number): number {
    return Math.min(this.end, Math.max(this.begin, at));
  }

  private arrive(found: Found, what: string): void {
    const at = found.atMs ?? 0;
    this.stopAt(at);
    const words = found.mark !== null && found.mark.text !== '' ? found.mark.text : found.notice === null ? what : this.screen.noticeWords(found.notice).title;
    this.say('replay.found', { what: words, time: this.screen.time.seconds(at) });
  }

  /** Goes to what was found and stays there: at 600 times real time it would be gone before it is seen. */
  private stopAt(at: number): void {
    if (this.view?.playing === true) void this.play({ action: 'pause' });
    this.toEvent(at);
  }

  /** Where it stands is not found again on the way back. */
  private searchFrom(forward: boolean): number {
    return forward ? this.position : this.position - 2 * HAIR_MS;
  }

  private async play(change: Omit<PlayRequest, 'epoch' | 'value' | 'untilMs'> & Partial<PlayRequest>): Promise<void> {
    try {
      const view = await this.screen.platform.call('play', { value: null, untilMs: null, ...change, epoch: this.epoch });
      if (this.closed) return;
      // A frame may have told of the same already; whichever comes later is the newer.
      this.session.playback = { ...view, jump: this.session.playback?.jump ?? view.jump };
      this.screen.sync();
      if (change.action === 'seek' && change.value === this.wanted) this.wanted = null;
    } catch (cause) {
      this.wanted = null;
      this.fail(cause);
    }
  }

  private async ask(request: FindRequest): Promise<Found | null> {
    const turn = ++this.lookup;
    this.searching = true;
    try {
      const found = await this.screen.platform.call('find', request);
      return turn === this.lookup && !this.closed ? found : null;
    } catch (cause) {
      this.fail(cause);
      return null;
    } finally {
      if (turn === this.lookup) this.searching = false;
    }
  }

  private async askTimeline(): Promise<void> {
    try {
      const timeline = await this.screen.platform.call('timeline', { epoch: this.epoch });
      if (this.closed) return;
      this.timeline = timeline;
      clearTimeout(this.again);
      if (!timeline.complete) this.again = setTimeout(() => this.timelines.ask(null), INCOMPLETE_MS);
    } catch (cause) {
      this.fail(cause);
    }
  }

  private async askLane({ tag, span, columns }: LaneWanted): Promise<void> {
    try {
      const lane = await this.screen.platform.call('lane', { epoch: this.epoch, tag, fromMs: span.from, toMs: span.to, columns });
      if (!this.closed && this.laneTag === tag) this.lane = lane;
    } catch (cause) {
      this.fail(cause);
    }
  }

  private fail(cause: unknown): void {
    if (this.closed) return;
    this.said = { text: t('replay.failed', { detail: cause instanceof Error ? cause.message : String(cause) }), bad: true };
  }
}
