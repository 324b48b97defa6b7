// One session as the page follows it, the plant's or a recording's: what frames tell, its tags, the facts of its connections.

import type { Hello } from '../generated/api';
import type { Platform } from '../platform';
import { type Condition, conditionsOf } from './conditions';
import { TagDirectory } from './directory';
import { Puller } from './puller';
import { Reports } from './reports';
import { Session } from './session';

/** What a feed has news of. */
export type News = 'session' | 'directory' | 'facts';

export class Feed {
  readonly session = new Session();
  readonly directory: TagDirectory;
  readonly facts: Reports;
  private readonly puller: Puller;
  private hello: Hello | null = null;
  private meta: number | null = null;

  /** `recording`: the epoch of an opened recording; null: the plant. */
  constructor(
    platform: Platform,
    readonly recording: number | null,
    private readonly changed: (news: News, feed: Feed) => void,
  ) {
    this.directory = new TagDirectory(platform, () => changed('directory', this));
    this.facts = new Reports(platform, () => changed('facts', this));
    this.puller = new Puller(platform, this.session, () => this.follow(), recording);
  }

  start(): void {
    this.puller.start();
  }

  stop(): void {
    this.puller.stop();
  }

  watch(ids: readonly number[]): void {
    this.puller.setWatch(ids);
  }

  /** What is wrong there now. */
  conditions(): Condition[] {
    const { at, hello, links, recorder, units } = this.session;
    const plant = hello?.plant ?? null;
    return conditionsOf({ at, plant, problems: hello?.problems.length ?? 0, links, told: this.facts.told, recorder, units });
  }

  private follow(): void {
    const { session } = this;
    if (this.hello !== session.hello) {
      this.hello = session.hello;
      this.meta = null;
      this.directory.reset(session.hello?.epoch ?? 0, session.hello?.plant?.tagCount ?? 0);
      this.facts.reset(session.hello?.epoch ?? 0);
    }
    if (this.meta !== null && this.meta !== session.meta) void this.directory.refresh();
    this.meta = session.meta;
    if (session.at !== null) this.facts.follow(session.reports);
    this.changed('session', this);
  }
}
