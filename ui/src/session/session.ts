// What the page knows: the answer to hello, and everything that frames have told since.
//
// A section of a frame that is null has not changed. Nothing here reads a clock: "now" is `at`.

import type {
  Hello, LinkView, Notice, OutputPointView, RecorderView, ReplayView, ShiftView, StripView, UnitView,
} from '../generated/api';
import type { Frame } from './frame';
import { ValueStore } from './values';

/** Older notices are in the recording. */
export const NOTICES_MAX = 200;

/**
 * `connecting`: not greeted yet. `problems`: there is no plant to show. `live`: frames come.
 * `silent`: the program behind the page does not answer; nothing on the screen is current.
 * `ended`: the recording is not open any more.
 */
export type Phase = 'connecting' | 'problems' | 'live' | 'silent' | 'ended';

export class Session {
  phase: Phase = 'connecting';
  /** Why the last request failed, in English; null after a good answer. */
  trouble: string | null = null;
  hello: Hello | null = null;
  /** Now, ms since 1970 UTC; null before the first frame. */
  at: number | null = null;
  /** When the last frame came, by the page's own clock: paces drawing, never reaches the screen. */
  heard = 0;
  cursor = 0;
  simulated = false;
  replay = false;
  /** Where the replay stands; null: this is the plant, or no frame has come yet. */
  playback: ReplayView | null = null;
  links: readonly LinkView[] = [];
  recorder: RecorderView | null = null;
  shift: ShiftView | null = null;
  units: readonly UnitView[] = [];
  strips: readonly StripView[] = [];
  output: readonly OutputPointView[] = [];
  /** Newest first. */
  notices: readonly Notice[] = [];
  noticesDropped = 0;
  /** Grows when facts of connections changed. */
  reports = 0;
  /** Grows when servers told other units, ranges or texts; null before the first frame. */
  meta: number | null = null;
  readonly values = new ValueStore();

  /** A new epoch: whatever was known is void. */
  greet(hello: Hello): void {
    this.hello = hello;
    // Silence ends with a frame, not with a greeting.
    if (hello.plant === null) this.phase = 'problems';
    else if (this.phase !== 'silent') this.phase = 'live';
    this.at = null;
    this.cursor = 0;
    this.simulated = false;
    this.replay = hello.mode === 'replay';
    this.playback = null;
    this.links = [];
    this.recorder = null;
    this.shift = null;
    this.units = [];
    this.strips = [];
    this.output = [];
    this.notices = [];
    this.noticesDropped = 0;
    this.reports = 0;
    this.meta = null;
    this.values.reset(hello.plant?.tagCount ?? 0);
  }

  /** `heard`: when it came. */
  apply(frame: Frame, heard = 0): void {
    const { tail } = frame;
    // The state was replaced: what was gathered along the way is of another time. Sections tell by themselves.
    if (jumped(this.playback, tail.replay)) {
      this.notices = [];
      this.noticesDropped = 0;
    }
    this.heard = heard;
    this.playback = tail.replay;
    this.at = frame.at;
    this.cursor = frame.seq;
    this.simulated = frame.simulated;
    this.replay = frame.replay;
    this.values.apply(frame);
    this.links = tail.links ?? this.links;
    this.recorder = tail.recorder ?? this.recorder;
    this.shift = tail.shift ?? this.shift;
    this.units = tail.units ?? this.units;
    this.strips = tail.strips ?? this.strips;
    this.output = tail.output ?? this.output;
    if (tail.notices.length > 0) {
      this.notices = [...tail.notices.toReversed(), ...this.notices].slice(0, NOTICES_MAX);
    }
    this.noticesDropped += tail.noticesDropped;
    this.reports = tail.reports;
    this.meta = tail.meta;
  }
}

/** Was the state replaced instead of continued? */
export function jumped(before: ReplayView | null, now: ReplayView | null): boolean {
  return now !== null && now.jump !== before?.jump;
}
