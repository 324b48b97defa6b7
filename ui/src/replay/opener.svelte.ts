// Opens recordings on this screen and leads back to the plant; keeps what is wrong at the plant in sight meanwhile.
//
// A replay is of this screen only: nothing changes on others. Leaving it shows the view, the lists and their scroll
// positions that were there before.

import type { Opened } from '../generated/api';
import { t } from '../messages';
import type { Condition } from '../session/conditions';
import type { Feed } from '../session/feed';
import type { Phase, Session } from '../session/session';
import type { Place, Screen } from '../shell/screen.svelte';
import { HAIR_MS } from './deck.svelte';
import { rememberScroll } from './scroll';

/** The plant beside a shown recording. */
export interface Beside {
  readonly phase: Phase;
  /** A plant is configured. */
  readonly plant: boolean;
  readonly at: number | null;
  readonly minorStopMs: number;
  readonly conditions: readonly Condition[];
}

/** Views in which a recording has nothing to show: it opens on the line. */
const NOT_REPLAYED = new Set(['shifts', 'setup', 'compare', 'whatif']);

export class Opener {
  /** Null while the plant itself is shown. */
  beside = $state.raw<Beside | null>(null);
  /** The recording that is being opened. */
  opening = $state.raw<string | null>(null);
  /** Why the last one was not opened, or was closed, in words. */
  failure = $state.raw<string | null>(null);
  /** What was done, in words. */
  done = $state.raw<string | null>(null);

  private opened: Opened | null = null;
  private before: { place: Place; scroll: () => void } | null = null;
  private turn = 0;
  /** The program asked for this one when it greeted: it is opened once. */
  private asked: string | null = null;
  private reopened = false;

  constructor(
    private readonly screen: Screen,
    private readonly live: Session,
  ) {}

  async open(shift: string, atMs: number | null): Promise<void> {
    const turn = ++this.turn;
    this.opening = shift;
    this.failure = null;
    try {
      const opened = await this.screen.platform.call('open', { shift, atMs });
      if (turn === this.turn) this.enter(opened);
      else this.close(opened);
    } catch (cause) {
      if (turn === this.turn) this.failure = t('replay.open.failed', { shift, detail: detailOf(cause) });
    }
    if (turn === this.turn) this.opening = null;
  }

  /** Opens the recording that holds an instant of the plant: of the running shift, or of one before. */
  async openAt(atMs: number): Promise<void> {
    try {
      const { shifts } = await this.screen.platform.call('shifts', null);
      const found = shifts.find(({ fromMs, toMs, state }) => atMs >= fromMs && (atMs <= toMs || state === 'recording'));
      if (found === undefined) this.failure = t('replay.open.none', { time: this.screen.time.near(atMs, this.live.at ?? atMs) });
      else await this.open(found.id, atMs + HAIR_MS);
    } catch (cause) {
      this.failure = t('replay.open.failed', { shift: '', detail: detailOf(cause) });
    }
  }

  /** Goes to an instant: in the shown recording, or in the one that holds it. */
  replayFrom(atMs: number): void {
    const { deck } = this.screen;
    if (deck === null) void this.openAt(atMs);
    else deck.toEvent(atMs);
  }

  leave(): void {
    this.turn++;
    this.opening = null;
    const { opened, before } = this;
    if (opened === null) return;
    this.opened = null;
    this.before = null;
    this.beside = null;
    this.screen.show(null);
    if (before !== null) this.screen.place = before.place;
    before?.scroll();
    this.close(opened);
  }

  /** The program has closed the recording, as it does when it starts anew: it is opened once more where it stood. */
  ended(): void {
    const { opened } = this;
    if (opened === null) return;
    const at = this.screen.playback?.positionMs ?? null;
    if (this.reopened) {
      this.leave();
      this.failure = t('replay.ended');
      return;
    }
    this.reopened = true;
    this.opened = null;
    void this.open(opened.shift, at).then(() => {
      if (this.opened !== null) return;
      this.opened = opened;
      this.leave();
    });
  }

  /** News of the plant. */
  hear(live: Feed): void {
    const { session } = live;
    const wanted = session.hello?.open ?? null;
    if (wanted !== this.asked) {
      this.asked = wanted;
      if (wanted !== null) void this.open(wanted, null);
    }
    if (this.opened !== null) this.beside = besideOf(live);
  }

  /** The window came to the front, perhaps because a recording was double-clicked: the program is asked for it. */
  async look(): Promise<void> {
    try {
      const { open } = await this.screen.platform.call('hello', null);
      if (open !== null && this.opening === null) await this.open(open, null);
    } catch {
      // Whether the program answers at all is told by frames.
    }
  }

  /** Marks a moment of the plant. Fails with the host's reason. */
  async mark(atMs: number, text: string): Promise<void> {
    await this.screen.platform.call('mark', { epoch: this.live.hello?.epoch ?? 0, atMs, untilMs: null, text, author: null });
    this.done = t('mark.done', { time: this.screen.time.seconds(atMs) });
  }

  private enter(opened: Opened): void {
    const { screen, opened: last } = this;
    this.before ??= { place: screen.place, scroll: rememberScroll() };
    this.opened = opened;
    this.reopened &&= last === null;
    if (NOT_REPLAYED.has(screen.view)) screen.view = 'line';
    this.beside ??= { phase: this.live.phase, plant: this.live.hello?.plant != null, at: this.live.at, minorStopMs: 0, conditions: [] };
    screen.show(opened);
    if (last !== null) this.close(last);
  }

  private close({ epoch }: Opened): void {
    // What is not closed is closed with the program; there is nothing that a person could do about it.
    this.screen.platform.call('close', { epoch }).catch(() => undefined);
  }
}

function besideOf(live: Feed): Beside {
  const { phase, hello, at } = live.session;
  return { phase, plant: hello?.plant != null, at, minorStopMs: hello?.plant?.minorStopMs ?? 0, conditions: live.conditions() };
}

function detailOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
