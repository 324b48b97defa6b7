// What is fixed about the tags: loaded in pages when the list is wanted, one by one when only a name is.

import type { TagInfo } from '../generated/api';
import type { Platform } from '../platform';

export const PAGE = 5_000;

export class TagDirectory {
  /** Loaded so far, in order of id. */
  tags: TagInfo[] = [];
  total = 0;
  /** Why loading stopped, in English. */
  failure: string | null = null;
  private complete = false;
  private loading = false;
  /** Something changed while pages were read. */
  private again = false;
  private readonly single = new Map<number, TagInfo | null>();
  /** Answers that belong to an older configuration are thrown away. */
  private generation = 0;
  /** The session whose tags they are. */
  private epoch = 0;

  constructor(
    private readonly platform: Platform,
    private readonly changed: () => void,
  ) {}

  /** Another session or configuration: forget all. */
  reset(epoch: number, total: number): void {
    this.generation++;
    this.epoch = epoch;
    this.tags = [];
    this.total = total;
    this.failure = null;
    this.complete = false;
    this.loading = false;
    this.again = false;
    this.single.clear();
    this.changed();
  }

  /** Loads all pages unless that is done or under way. */
  async load(): Promise<void> {
    if (this.loading || this.complete) return;
    this.loading = true;
    this.failure = null;
    const generation = this.generation;
    try {
      while (!this.complete) {
        const page = await this.platform.call('tags', { epoch: this.epoch, offset: this.tags.length, limit: PAGE });
        if (generation !== this.generation) return;
        this.tags = [...this.tags, ...page.tags];
        this.total = page.total;
        this.complete = page.tags.length === 0 || this.tags.length >= page.total;
        this.changed();
      }
    } catch (cause) {
      if (generation !== this.generation) return;
      this.failure = cause instanceof Error ? cause.message : String(cause);
      this.changed();
    }
    this.loading = false;
    if (this.again) await this.refresh();
  }

  /** Something of the tags has changed: reads again what is there. What is there stays until the new is complete. */
  async refresh(): Promise<void> {
    this.single.clear();
    if (this.loading) this.again = true;
    if (this.loading || !this.complete) return;
    this.loading = true;
    const generation = this.generation;
    try {
      do {
        this.again = false;
        const tags = await this.pages();
        if (generation !== this.generation) return;
        this.tags = tags;
        this.changed();
      } while (this.again);
    } catch {
      // The old directory holds; the next change asks anew.
      if (generation !== this.generation) return;
    }
    this.loading = false;
  }

  private async pages(): Promise<TagInfo[]> {
    const tags: TagInfo[] = [];
    for (;;) {
      const page = await this.platform.call('tags', { epoch: this.epoch, offset: tags.length, limit: PAGE });
      tags.push(...page.tags);
      if (page.tags.length === 0 || tags.length >= page.total) return tags;
    }
  }

  /** The tag's name, or null while it is being asked for. Ids are positions in the list. */
  name(id: number): string | null {
    return this.info(id)?.name ?? null;
  }

  /** What is fixed about one tag, or null while it is being asked for. */
  info(id: number): TagInfo | null {
    const tag = this.tags[id] ?? this.single.get(id);
    if (tag === undefined) void this.ask(id);
    return tag ?? null;
  }

  private async ask(id: number): Promise<void> {
    this.single.set(id, null);
    const generation = this.generation;
    try {
      const page = await this.platform.call('tags', { epoch: this.epoch, offset: id, limit: 1 });
      if (generation !== this.generation) return;
      this.single.set(id, page.tags[0] ?? null);
      this.changed();
    } catch {
      // Only a name in an event is missing; the number is shown, and asked for again with the next event.
      this.single.delete(id);
    }
  }
}
