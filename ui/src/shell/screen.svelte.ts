// The shown session as the views see it: reactive, and calm enough to read. The plant's, or that of an opened recording.
//
// Figures change on the screen at most twice a second; a change of state, trust or link is shown at once. While a
// recording is shown the plant's session goes on beside it (`beside`), so that its problems stay visible.

import type {
  ConnectionView, LinkView, Notice, OutputPointView, RecorderView, ReplayView, ShiftView, StripView, Trust, UnitView,
} from '../generated/api';
import { PlantTime } from '../kit/plant-time';
import type { Language } from '../messages';
import type { Platform } from '../platform';
import { Deck } from '../replay/deck.svelte';
import { Opener } from '../replay/opener.svelte';
import { type Condition, conditionsOf } from '../session/conditions';
import { Feed, type News } from '../session/feed';
import { jumped, type Phase, type Session } from '../session/session';
import type { TagFilter } from '../session/tag-filter';
import { Steps } from '../views/setup/steps.svelte';
import { Library } from '../views/shifts/library.svelte';
import { noticeWords, type NoticeWords } from '../views/words';
import { chooseLanguage, chooseTheme, startLanguage, startTheme, type Theme } from './settings';

/**
 * A trust as shown: `noAnswer` when the program behind the page is silent, whatever it said before; `frozen` where a
 * server answers although its heartbeat stands still.
 */
export type Shown = Trust | 'noAnswer' | 'frozen';
/** Recordings open on any PC, and there must be a way to connect the first server. */
export const NEEDS_NO_PLANT: readonly ViewName[] = ['shifts', 'compare', 'whatif', 'setup'];
export type ViewName = 'line' | 'tags' | 'shifts' | 'compare' | 'whatif' | 'connections' | 'setup';

/** Where somebody was looking. */
export interface Place {
  readonly view: ViewName;
  readonly search: string;
  readonly filter: TagFilter;
  readonly selected: number | null;
  readonly connection: number | null;
}

/** How far back a bookmark at the plant lies. */
const HINDSIGHT_MS = 15_000;
const FIGURES_MS = 500;
const VALUES_MS = 250;

export class Screen {
  phase = $state.raw<Phase>('connecting');
  trouble = $state.raw<string | null>(null);
  hello = $state.raw<Session['hello']>(null);
  /** Whole seconds of plant time; null before the first frame. */
  now = $state.raw<number | null>(null);
  simulated = $state.raw(false);
  replay = $state.raw(false);
  /** Where the replay stands; null while the plant is shown. */
  playback = $state.raw<ReplayView | null>(null);
  links = $state.raw<readonly LinkView[]>([]);
  recorder = $state.raw<RecorderView | null>(null);
  shift = $state.raw<ShiftView | null>(null);
  units = $state.raw<readonly UnitView[]>([]);
  strips = $state.raw<readonly StripView[]>([]);
  output = $state.raw<readonly OutputPointView[]>([]);
  notices = $state.raw<readonly Notice[]>([]);
  noticesDropped = $state.raw(0);
  /** Grows when facts of connections changed. */
  reports = $state.raw(0);
  /** Facts of the connections, a few seconds behind the news. */
  told = $state.raw<readonly ConnectionView[]>([]);
  /** Changes when rows of values should be drawn again. */
  valuesTick = $state.raw(0);
  /** Changes when more of the tag directory is there. */
  directoryTick = $state.raw(0);

  view = $state.raw<ViewName>('line');
  search = $state.raw('');
  filter = $state.raw<TagFilter>('all');
  /** The unit that is picked out in the Line view. */
  selected = $state.raw<number | null>(null);
  /** The connection that is looked at; null: the first. */
  connection = $state.raw<number | null>(null);
  /** The tag whose value is explained. */
  explained = $state.raw<number | null>(null);
  /** The list of problems is looked at although there is a plant to show. */
  problemsOpen = $state.raw(false);
  /** A bookmark is being made of this instant; null: none is. */
  marking = $state.raw<number | null>(null);
  /** The list of keys is open. */
  keysOpen = $state.raw(false);
  theme = $state.raw<Theme>('light');
  language = $state.raw<Language>('en');

  /** A replay cannot change the plant's configuration. */
  readonly canSetUp = $derived(this.hello !== null && !this.replay);
  /** Names the session in requests. */
  readonly epoch = $derived(this.hello?.epoch ?? 0);
  readonly plant = $derived(this.hello?.plant ?? null);
  readonly time = $derived(new PlantTime(this.plant?.timeZone ?? 'UTC'));
  readonly conditions: readonly Condition[] = $derived(
    conditionsOf({
      at: this.now,
      plant: this.plant,
      problems: this.hello?.problems.length ?? 0,
      links: this.links,
      told: this.told,
      recorder: this.recorder,
      units: this.units,
    }),
  );

  /** Every silent server is silent because its heartbeat stands still. */
  private readonly frozen = $derived.by(() => {
    const silent = this.links.filter((link) => link.state === 'up' && link.subscription !== 'live');
    return silent.length > 0 && silent.every((link) => link.subscription === 'frozen');
  });

  readonly setup: Steps;
  /** Opens recordings, and leads back to the plant. */
  readonly opener: Opener;
  /** The recordings, checks of them, and files on their way in. */
  readonly library: Library;
  /** The controls of the shown recording; null while the plant is shown. */
  deck = $state.raw<Deck | null>(null);
  private readonly live: Feed;
  private shownFeed: Feed;
  private figuresAt = 0;
  private valuesAt = 0;
  private valuesDue = false;

  constructor(readonly platform: Platform) {
    this.theme = startTheme();
    this.language = startLanguage();
    this.library = new Library(platform);
    this.setup = new Steps(platform, { names: () => this.plant?.connections.map(({ name }) => name) ?? [], fresh: () => this.plant === null });
    this.live = new Feed(platform, null, (news, feed) => this.hear(news, feed));
    this.shownFeed = this.live;
    this.opener = new Opener(this, this.live.session);
  }

  start(): void {
    this.live.start();
  }

  stop(): void {
    this.live.stop();
    if (this.shownFeed !== this.live) this.shownFeed.stop();
  }

  get values() {
    return this.shownFeed.session.values;
  }

  get directory() {
    return this.shownFeed.directory;
  }

  /** Shows a recording by its id, standing at an instant (ms; its beginning where none is given). Fails in words on the screen. */
  openRecording(shift: string, atMs: number | null = null): Promise<void> {
    return this.opener.open(shift, atMs);
  }

  /** Shows the plant again, where one was before the recording. */
  backToLive(): void {
    this.opener.leave();
  }

  /** Takes up another session, or the plant's again (null). */
  show(recording: { epoch: number; shift: string } | null): void {
    if (this.shownFeed !== this.live) this.shownFeed.stop();
    this.deck?.close();
    this.marking = null;
    this.keysOpen = false;
    this.shownFeed = recording === null ? this.live : new Feed(this.platform, recording.epoch, (news, feed) => this.hear(news, feed));
    this.deck = recording === null ? null : new Deck(this, recording.epoch, recording.shift, this.shownFeed.session);
    if (recording !== null) {
      // The plant goes on, but none of its values are looked at.
      this.live.watch([]);
      this.shownFeed.start();
    }
    this.sync();
  }

  /** Begins a bookmark: in a replay of the position, at the plant of a moment ago, because hands are slower than events. */
  beginMark(): void {
    const at = this.deck === null ? this.live.session.at : this.deck.position;
    if (at === null || this.plant === null) return;
    this.marking = this.deck === null ? at - HINDSIGHT_MS : at;
  }

  /** Saves the bookmark. Null: done; otherwise why not, in words. */
  async saveMark(at: number, text: string): Promise<string | null> {
    try {
      await (this.deck ?? this.opener).mark(at, text);
      this.marking = null;
      return null;
    } catch (cause) {
      return cause instanceof Error ? cause.message : String(cause);
    }
  }

  /** Where somebody looks now; `place` restores it. */
  get place(): Place {
    const { view, search, filter, selected, connection } = this;
    return { view, search, filter, selected, connection };
  }

  set place(place: Place) {
    Object.assign(this, place);
    this.explained = null;
    this.problemsOpen = false;
  }

  /** Which tags are visible. */
  watch(ids: readonly number[]): void {
    this.valuesDue = true;
    this.shownFeed.watch(ids);
  }

  shown(trust: Trust): Shown {
    if (this.phase === 'silent' && trust !== 'absent') return 'noAnswer';
    return trust === 'silent' && this.frozen ? 'frozen' : trust;
  }

  /** An event in words; names of tags may come later (`directoryTick`). */
  noticeWords(notice: Notice): NoticeWords {
    const link = this.plant?.connections.find(({ id }) => id === notice.connection)?.name ?? null;
    return noticeWords(notice, link, notice.tag === null ? null : this.directory.name(notice.tag), this.time);
  }

  /** Opens the facts of one connection; without an id those that were looked at last. */
  openConnection(id: number | null = null): void {
    this.connection = id ?? this.connection;
    this.problemsOpen = false;
    this.view = 'connections';
  }

  /** Says in one sentence why a tag's value is not good; null closes the panel. */
  explain(tag: number | null): void {
    this.explained = tag;
  }

  /** Opens the list of tags with these settings. */
  openTags(filter: TagFilter, search = ''): void {
    this.filter = filter;
    this.search = search;
    this.view = 'tags';
  }

  selectUnit(id: number): void {
    this.selected = this.selected === id ? null : id;
    this.view = 'line';
  }

  toggleTheme(): void {
    this.theme = chooseTheme(this.theme === 'light' ? 'dark' : 'light');
  }

  toggleLanguage(): void {
    this.language = chooseLanguage(this.language === 'en' ? 'de' : 'en');
  }

  private hear(news: News, feed: Feed): void {
    if (feed === this.live) this.opener.hear(feed);
    if (feed !== this.shownFeed) return;
    if (news === 'directory') this.directoryTick++;
    else if (news === 'facts') this.told = feed.facts.told;
    else if (feed.session.phase === 'ended') this.opener.ended();
    else this.sync();
  }

  /** Takes over what the shown session says. */
  sync(): void {
    const from = this.shownFeed.session;
    if (this.hello !== from.hello) this.begin(from);
    this.phase = from.phase;
    this.trouble = from.trouble;
    this.hello = from.hello;
    this.simulated = from.simulated || from.links.some((link) => link.simulated);
    this.replay = from.replay || this.deck !== null;
    this.links = from.links;
    this.recorder = from.recorder;
    this.shift = from.shift;
    this.strips = from.strips;
    this.output = from.output;
    this.notices = from.notices;
    this.noticesDropped = from.noticesDropped;
    this.reports = from.reports;
    this.syncTimed(from);
    this.playback = from.playback;
    this.deck?.hear();
  }

  /** Another session, or another configuration of the plant. */
  private begin(from: Session): void {
    // Nothing is configured and nothing is wrong: there is only one thing to do.
    if (from.hello !== null && from.hello.plant === null && from.hello.problems.length === 0) this.view = 'setup';
    this.told = this.shownFeed.facts.told;
    this.directoryTick++;
    this.figuresAt = 0;
    this.problemsOpen = false;
    this.explained = null;
  }

  private syncTimed(from: Session): void {
    const { at, heard } = from;
    const jump = jumped(this.playback, from.playback);
    this.now = at === null ? null : Math.floor(at / 1000) * 1000;
    if (jump || Math.abs(heard - this.figuresAt) >= FIGURES_MS || !sameStates(this.units, from.units)) {
      this.figuresAt = heard;
      this.units = from.units;
    }
    if (jump || this.valuesDue || Math.abs(heard - this.valuesAt) >= VALUES_MS) {
      this.valuesDue = false;
      this.valuesAt = heard;
      this.valuesTick++;
    }
  }
}

/** Nothing but figures differs. */
function sameStates(a: readonly UnitView[], b: readonly UnitView[]): boolean {
  return (
    a.length === b.length &&
    a.every((unit, i) => {
      const other = b[i];
      return (
        unit.state === other.state && unit.mode === other.mode && unit.stateTrust === other.stateTrust &&
        unit.rateTrust === other.rateTrust && unit.good?.trust === other.good?.trust && unit.unmapped === other.unmapped &&
        unit.reject?.trust === other.reject?.trust && (unit.rate === null) === (other.rate === null)
      );
    })
  );
}
