// The session as the views see it: reactive, and calm enough to read.
//
// Figures change on the screen at most twice a second; a change of state, trust or link is shown at once.

import type { ConnectionView, LinkView, Notice, OutputPointView, RecorderView, ShiftView, StripView, Trust, UnitView } from '../generated/api';
import { PlantTime } from '../kit/plant-time';
import type { Language } from '../messages';
import type { Platform } from '../platform';
import { type Condition, conditionsOf } from '../session/conditions';
import { TagDirectory } from '../session/directory';
import { Puller } from '../session/puller';
import { Reports } from '../session/reports';
import { type Phase, Session } from '../session/session';
import type { TagFilter } from '../session/tag-filter';
import { Steps } from '../views/setup/steps.svelte';
import { chooseLanguage, chooseTheme, startLanguage, startTheme, type Theme } from './settings';

/**
 * A trust as shown: `noAnswer` when the program behind the page is silent, whatever it said before; `frozen` where a
 * server answers although its heartbeat stands still.
 */
export type Shown = Trust | 'noAnswer' | 'frozen';
export type ViewName = 'line' | 'tags' | 'connections' | 'setup';

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

  readonly directory: TagDirectory;
  readonly setup: Steps;
  private readonly session = new Session();
  private readonly facts: Reports;
  private readonly puller: Puller;
  private figuresAt = 0;
  private valuesAt = 0;
  private valuesDue = false;
  private meta: number | null = null;

  constructor(readonly platform: Platform) {
    this.theme = startTheme();
    this.language = startLanguage();
    this.setup = new Steps(platform, { names: () => this.plant?.connections.map(({ name }) => name) ?? [], fresh: () => this.plant === null });
    this.directory = new TagDirectory(platform, () => this.directoryTick++);
    this.facts = new Reports(platform, () => (this.told = this.facts.told));
    this.puller = new Puller(platform, this.session, () => this.sync());
  }

  start(): void {
    this.puller.start();
  }

  stop(): void {
    this.puller.stop();
  }

  get values() {
    return this.session.values;
  }

  /** Which tags are visible. */
  watch(ids: readonly number[]): void {
    this.valuesDue = true;
    this.puller.setWatch(ids);
  }

  shown(trust: Trust): Shown {
    if (this.phase === 'silent' && trust !== 'absent') return 'noAnswer';
    return trust === 'silent' && this.frozen ? 'frozen' : trust;
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

  private sync(): void {
    const from = this.session;
    if (this.hello !== from.hello) {
      // Nothing is configured and nothing is wrong: there is only one thing to do.
      if (from.hello !== null && from.hello.plant === null && from.hello.problems.length === 0) this.view = 'setup';
      this.directory.reset(from.hello?.epoch ?? 0, from.hello?.plant?.tagCount ?? 0);
      this.facts.reset(from.hello?.epoch ?? 0);
      this.told = [];
      this.figuresAt = 0;
      this.problemsOpen = false;
      this.explained = null;
      this.meta = null;
    }
    if (this.meta !== null && this.meta !== from.meta) void this.directory.refresh();
    this.meta = from.meta;
    this.phase = from.phase;
    this.trouble = from.trouble;
    this.hello = from.hello;
    this.simulated = from.simulated || from.links.some((link) => link.simulated);
    this.replay = from.replay;
    this.links = from.links;
    this.recorder = from.recorder;
    this.shift = from.shift;
    this.strips = from.strips;
    this.output = from.output;
    this.notices = from.notices;
    this.noticesDropped = from.noticesDropped;
    this.reports = from.reports;
    if (from.at !== null) this.facts.follow(from.reports);
    this.syncTimed(from);
  }

  private syncTimed(from: Session): void {
    const at = from.at;
    this.now = at === null ? null : Math.floor(at / 1000) * 1000;
    if (Math.abs((at ?? 0) - this.figuresAt) >= FIGURES_MS || !sameStates(this.units, from.units)) {
      this.figuresAt = at ?? 0;
      this.units = from.units;
    }
    if (this.valuesDue || Math.abs((at ?? 0) - this.valuesAt) >= VALUES_MS) {
      this.valuesDue = false;
      this.valuesAt = at ?? 0;
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
