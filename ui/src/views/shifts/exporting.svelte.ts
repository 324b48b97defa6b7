// One export: what of a recording, in which form, and what came of it.

import { SvelteSet } from 'svelte/reactivity';
import type { Exported, ExportFormat, ShiftInfo, TagInfo } from '../../generated/api';
import { timeText } from '../../kit/time-text';
import { CallError, type Platform } from '../../platform';
import { typedTime } from '../../replay/typed-time';
import { haystack, matches, wordsOf } from '../../session/tag-filter';
import { timeOf } from './rows';

export const FORMATS = ['shift', 'parquet', 'csv', 'xlsx'] as const satisfies readonly ExportFormat[];
/** A clip around the position reaches so far to both sides, ms. */
export const AROUND_MS = 5 * 60_000;
const PAGE = 5_000;

export class Exporting {
  format = $state.raw<ExportFormat>('shift');
  whole = $state.raw(true);
  from = $state('');
  to = $state('');
  allTags = $state.raw(true);
  search = $state('');
  readonly ticked = new SvelteSet<number>();
  /** Of the recording; null: not read yet. */
  tags = $state.raw<readonly TagInfo[] | null>(null);
  busy = $state.raw<'tags' | 'export' | null>(null);
  failure = $state.raw<string | null>(null);
  done = $state.raw<Exported | null>(null);

  readonly fromMs = $derived.by(() => (this.whole ? this.range.from : this.parsed(this.from)));
  readonly toMs = $derived.by(() => (this.whole ? this.range.to : this.parsed(this.to)));
  readonly ready = $derived(
    this.busy === null && this.fromMs !== null && this.toMs !== null && this.fromMs < this.toMs && (this.allTags || this.ticked.size > 0),
  );
  readonly found = $derived.by(() => {
    const words = wordsOf(this.search);
    return (this.tags ?? []).filter((tag) => matches(haystack(tag), words));
  });

  constructor(
    private readonly platform: Platform,
    readonly info: ShiftInfo,
  ) {
    this.stretch(info.fromMs, info.toMs);
  }

  /** Writes a stretch into the fields, cut to what is recorded. */
  stretch(from: number, to: number): void {
    this.from = this.text(Math.max(from, this.info.fromMs));
    this.to = this.text(Math.min(to, this.info.toMs));
  }

  tick(id: number): void {
    if (!this.ticked.delete(id)) this.ticked.add(id);
  }

  /** Ticks all that the search finds, or none of them. */
  tickFound(on: boolean): void {
    for (const { id } of this.found) {
      if (on) this.ticked.add(id);
      else this.ticked.delete(id);
    }
  }

  /** Reads which tags the recording has: it is opened beside whatever the screen shows, and closed again. */
  async loadTags(): Promise<void> {
    if (this.tags !== null || this.busy !== null) return;
    await this.work('tags', async () => {
      const { epoch } = await this.platform.call('open', { shift: this.info.id, atMs: null });
      try {
        this.tags = await this.pages(epoch);
      } finally {
        await this.platform.call('close', { epoch });
      }
    });
  }

  async run(): Promise<void> {
    const { fromMs, toMs, format, info } = this;
    if (fromMs === null || toMs === null || !this.ready) return;
    this.done = null;
    await this.work('export', async () => {
      const tags = this.allTags ? [] : [...this.ticked].sort((a, b) => a - b);
      this.done = await this.platform.call('export', { shift: info.id, fromMs, toMs, tags, format });
    });
  }

  /** Stamps are finer than the numbers that tell them: whole milliseconds outwards leave nothing out. */
  private get range(): { from: number; to: number } {
    return { from: Math.floor(this.info.fromMs), to: Math.ceil(this.info.toMs) };
  }

  private async work(what: 'tags' | 'export', run: () => Promise<void>): Promise<void> {
    this.busy = what;
    this.failure = null;
    try {
      await run();
    } catch (cause) {
      this.failure = CallError.from(cause).message;
    }
    this.busy = null;
  }

  private async pages(epoch: number): Promise<TagInfo[]> {
    const tags: TagInfo[] = [];
    for (;;) {
      const page = await this.platform.call('tags', { epoch, offset: tags.length, limit: PAGE });
      tags.push(...page.tags);
      if (page.tags.length === 0 || tags.length >= page.total) return tags;
    }
  }

  private parsed(text: string): number | null {
    const found = typedTime(text, timeOf(this.info.timeZone), this.range, this.range.from);
    return 'at' in found ? found.at : null;
  }

  private text(at: number): string {
    const { fromMs, toMs, timeZone } = this.info;
    return timeText(Math.floor(at / 1000) * 1000, timeOf(timeZone), fromMs, toMs);
  }
}
