// Opened made-up recordings: sessions of their own that play, seek, search and take marks, beside the made-up plant.

import type {
  Commands, FindRequest, Found, FrameRequest, Hello, LaneRequest, LaneView, MarkRequest, MarkView, OpenRequest, PlayRequest, ReplayView, TagInfo,
  TimelineView, UnmarkRequest,
} from '../../generated/api';
import { FLAG_REPLAY, FLAG_SIMULATED } from '../../session/frame';
import { CallError } from '../platform';
import { encodeFrame } from './encode';
import { fakePlant, SHIFT_START, START } from './plant';
import { Story } from './story';

const DAY = 86_400_000;
/** As fast as this machine can: what `max` reaches. */
const FASTEST = 740;

/** The file that the made-up plant is writing. */
export const RUNNING = 'line3-2026-11-21-early.shift';

export class FakeRecordings {
  private readonly open = new Map<number, FakeReplay>();
  private readonly marks = new Map<string, MarkView[]>();
  private epochs = 100;

  constructor(
    private readonly tags: readonly TagInfo[],
    /** Now at the plant. */
    private readonly now: () => number,
  ) {}

  /** Undefined: not a question about recordings. */
  answer(command: keyof Commands, request: unknown): unknown {
    switch (command) {
      case 'open':
        return this.opened(request as OpenRequest);
      case 'close':
        this.open.delete((request as { epoch: number }).epoch);
        return null;
      case 'play':
        return this.of(request as PlayRequest).play(request as PlayRequest);
      case 'timeline':
        return this.of(request as { epoch: number }).timeline();
      case 'lane':
        return this.of(request as LaneRequest).lane(request as LaneRequest);
      case 'find':
        return this.of(request as FindRequest).find(request as FindRequest);
      case 'mark':
        return this.mark(request as MarkRequest);
      case 'unmark':
        return this.unmark(request as UnmarkRequest);
      default:
        return undefined;
    }
  }

  /** Null: this is not the epoch of a recording. */
  hello(epoch: number): Hello | null {
    if (!this.open.has(epoch)) return null;
    return { version: '0.1.0', mode: 'replay', epoch, plant: fakePlant('good'), problems: [], open: null };
  }

  /** Null: this is not the epoch of a recording. */
  frame(request: FrameRequest): ArrayBuffer | null {
    return this.open.get(request.epoch)?.frame(request) ?? null;
  }

  /** Where a recording stands; null: this is not its epoch. */
  position(epoch: number): number | null {
    return this.open.get(epoch)?.view().positionMs ?? null;
  }

  private of({ epoch }: { epoch: number }): FakeReplay {
    const found = this.open.get(epoch);
    if (found === undefined) throw new CallError('stale', `epoch ${epoch} is over`);
    return found;
  }

  private opened({ shift, atMs }: OpenRequest): { epoch: number; shift: string } {
    const named = /(\d{4}-\d{2}-\d{2})-(early|late|night)/.exec(shift);
    if (named === null) throw new CallError('refused', `There is no recording ${shift}.`);
    const turn = ['early', 'late', 'night'].indexOf(named[2]);
    const from = Date.parse(`${named[1]}T05:00:00Z`) + turn * (DAY / 3);
    const marks = this.marks.get(shift) ?? [
      { id: 1, atMs: from + 131 * 60_000, untilMs: null, text: 'Changeover to 1.0 L', author: null, madeMs: from + DAY },
      { id: 2, atMs: from + 236.4 * 60_000, untilMs: null, text: 'torque drift starts', author: '1042', madeMs: from + DAY },
    ];
    this.marks.set(shift, marks);
    const epoch = ++this.epochs;
    this.open.set(epoch, new FakeReplay(epoch, shift, new Story(from, this.tags, ['Early', 'Late', 'Night'][turn]), this.tags, marks, from === SHIFT_START ? this.now : null, atMs));
    return { epoch, shift };
  }

  private mark({ epoch, atMs, untilMs, text, author }: MarkRequest): MarkView {
    const shift = this.open.get(epoch)?.shift ?? RUNNING;
    const marks = this.marks.get(shift) ?? [];
    this.marks.set(shift, marks);
    if (text === 'fail') throw new CallError('refused', `${shift} cannot be written: it is read-only.`);
    const mark = { id: marks.length + 10, atMs, untilMs, text, author, madeMs: START };
    marks.push(mark);
    return mark;
  }

  private unmark({ epoch, mark }: UnmarkRequest): null {
    const marks = this.of({ epoch }).marks;
    marks.splice(marks.findIndex(({ id }) => id === mark), 1);
    return null;
  }
}

class FakeReplay {
  private position: number;
  private since = performance.now();
  private playing = false;
  private speed = 1;
  private following = false;
  private loop: [number, number] | null = null;
  private jump = 1;
  private told = { jump: 0, at: -Infinity };
  private frames = 0;

  constructor(
    private readonly epoch: number,
    readonly shift: string,
    private readonly story: Story,
    private readonly tags: readonly TagInfo[],
    readonly marks: MarkView[],
    /** The end of a file that is still being written. */
    private readonly growing: (() => number) | null,
    at: number | null,
  ) {
    this.position = this.within(at ?? story.from);
  }

  play({ action, value, untilMs }: PlayRequest): ReplayView {
    this.advance();
    if (action === 'play') [this.playing, this.speed] = [true, value ?? this.speed];
    else if (action === 'loop') this.loop = [value ?? 0, untilMs ?? 0];
    else if (action === 'unloop') this.loop = null;
    else if (action === 'pause') this.playing = false;
    else if (action === 'stepChange') this.go(Math.round(this.position / 200) * 200 + 200 * Math.sign(value ?? 1));
    else this.go(action === 'step' ? this.position + (value ?? 0) : action === 'follow' ? this.to : (value ?? 0));
    this.following = action === 'follow' || (this.following && action === 'play');
    return this.view();
  }

  view(): ReplayView {
    this.advance();
    return {
      positionMs: this.position, fromMs: this.story.from, toMs: this.to, playing: this.playing, speed: this.speed,
      reachedSpeed: this.playing && (this.speed === 0 || this.speed > FASTEST) ? FASTEST : null, following: this.following,
      loopFromMs: this.loop?.[0] ?? null, loopToMs: this.loop?.[1] ?? null, jump: this.jump, growing: this.growing !== null, shift: this.shift,
      file: this.shift, digestsEqual: Math.floor((this.position - this.story.from) / 60_000), differsAtMs: null, damaged: 0, doubt: 'none', failure: null,
    };
  }

  frame({ watch }: FrameRequest): ArrayBuffer {
    const replay = this.view();
    const after = this.told.jump === this.jump ? this.told.at : -Infinity;
    this.told = { jump: this.jump, at: this.position };
    return encodeFrame({
      flags: FLAG_REPLAY | FLAG_SIMULATED, epoch: this.epoch, at: this.position, seq: ++this.frames, values: this.story.values(watch, this.position),
      tail: { ...this.story.tail(this.position), notices: this.story.noticesIn(after, this.position), replay },
    });
  }

  timeline(): TimelineView {
    return {
      fromMs: this.story.from, toMs: this.to, shift: this.story.shift, strips: this.story.strips(this.to), gaps: this.story.gaps.filter(({ fromMs }) => fromMs < this.to),
      notices: this.story.noticesIn(-Infinity, this.to), noticesDropped: 0, marks: [...this.marks].sort((a, b) => a.atMs - b.atMs), complete: true, progress: 1,
    };
  }

  lane({ tag, fromMs, toMs, columns }: LaneRequest): LaneView {
    const lane: LaneView = { tag, fromMs, toMs, first: [], min: [], max: [], last: [], doubtful: [] };
    for (let column = 0; column < columns; column++) {
      const at = (share: number) => this.story.value(this.tags[tag], fromMs + ((column + share) / columns) * (toMs - fromMs));
      const found = fromMs + (column / columns) * (toMs - fromMs) > this.to ? [] : [0, 0.25, 0.5, 0.75, 0.99].map(at);
      const known = found.filter((value) => value !== null);
      lane.doubtful.push(known.length < found.length);
      for (const key of ['first', 'min', 'max', 'last'] as const) lane[key].push(known.length === 0 ? null : { first: known[0], min: Math.min(...known), max: Math.max(...known), last: known[known.length - 1] }[key]);
    }
    return lane;
  }

  find(request: FindRequest): Found {
    const { fromMs, forward, what } = request;
    const inside = (at: number) => at <= this.to && (forward ? at > fromMs : at < fromMs);
    const marks = this.marks.filter(({ atMs }) => what === 'mark' && inside(atMs));
    const notices = this.story.notices.filter(({ atMs }) => what === 'notice' && inside(atMs));
    const times = [...marks.map(({ atMs }) => atMs), ...notices.map(({ atMs }) => atMs), ...this.times(request).filter(inside)];
    const atMs = times.length === 0 ? null : forward ? Math.min(...times) : Math.max(...times);
    return { atMs, mark: marks.find((mark) => mark.atMs === atMs) ?? null, notice: notices.find((notice) => notice.atMs === atMs) ?? null };
  }

  private times({ what, unit, condition, tag, fromMs }: FindRequest): number[] {
    if (what === 'stop') return this.story.starts(unit ?? 1, ['stopped', 'held']);
    if (what === 'gap') return this.story.gaps.map((gap) => gap.fromMs);
    if (what === 'change' && tag !== null) return [Math.floor(fromMs / 1000) * 1000 - 1000, Math.floor(fromMs / 1000) * 1000 + 1000];
    return what === 'condition' && condition !== null ? this.held(condition) : [];
  }

  private held({ tag, op, value, forMs }: NonNullable<FindRequest['condition']>): number[] {
    const holds = { below: (x: number) => x < value, above: (x: number) => x > value, equal: (x: number) => x === value, notEqual: (x: number) => x !== value }[op];
    const found: number[] = [];
    let since: number | null = null;
    for (let at = this.story.from; at <= this.to; at += 1_000) {
      const now = this.story.value(this.tags[tag], at);
      if (now === null || !holds(now)) since = null;
      else {
        since ??= at;
        if (at - since >= forMs && at - since < forMs + 1_000) found.push(since);
      }
    }
    return found;
  }

  private get to(): number {
    return this.growing === null ? this.story.to : Math.min(this.growing(), this.story.to);
  }

  private advance(): void {
    const now = performance.now();
    const passed = now - this.since;
    this.since = now;
    if (!this.playing) return;
    this.position += passed * (this.speed === 0 ? FASTEST : this.speed);
    if (this.loop !== null && this.position > this.loop[1]) this.go(this.loop[0]);
    if (this.following || this.position >= this.to) this.position = this.to;
    if (this.position === this.to && this.growing === null) this.playing = false;
  }

  private go(at: number): void {
    this.position = this.within(at);
    this.jump++;
  }

  private within(at: number): number {
    return Math.min(this.to, Math.max(this.story.from, at));
  }
}
