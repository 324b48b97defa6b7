// One of two recordings laid side by side: opened as a session of its own, and led to whatever instant is asked for.

import type { Hello, Notice, OutputPointView, PlantInfo, TimelineView, UnitView } from '../../generated/api';
import { CallError, type Platform } from '../../platform';
import { decodeFrame } from '../../session/frame';
import { Latest } from '../../session/latest';

/** How long to wait before a timeline that is not complete is asked for again, ms. */
const AGAIN_MS = 700;

export class Recording {
  hello = $state.raw<Hello | null>(null);
  timeline = $state.raw<TimelineView | null>(null);
  /** Products over the whole of the recording. */
  output = $state.raw<readonly OutputPointView[]>([]);
  /** The units at `at`; empty before the first answer. */
  units = $state.raw<readonly UnitView[]>([]);
  /** The instant that `units` belong to; null: none yet. */
  at = $state.raw<number | null>(null);
  /** In English; null: nothing went wrong. */
  failure = $state.raw<string | null>(null);

  readonly plant: PlantInfo | null = $derived(this.hello?.plant ?? null);
  readonly notices: readonly Notice[] = $derived(this.timeline?.notices ?? []);
  readonly ready = $derived(this.hello !== null && this.timeline !== null);

  private epoch: number | null = null;
  private closed = false;
  private readonly leads = new Latest<number>((at) => this.go(at));

  constructor(
    private readonly platform: Platform,
    readonly shift: string,
  ) {}

  /** Opens it; its parts come one after the other. */
  async open(): Promise<void> {
    try {
      const { epoch } = await this.platform.call('open', { shift: this.shift, atMs: null });
      this.epoch = epoch;
      if (this.closed) return this.leave();
      const hello = await this.platform.call('hello', { epoch });
      const timeline = await this.platform.call('timeline', { epoch });
      // At its end a recording knows the whole curve of what was made.
      await this.seek(epoch, timeline.toMs);
      this.output = (await this.frame(epoch)).output ?? [];
      [this.hello, this.timeline] = [hello, timeline];
      await this.complete(epoch);
    } catch (cause) {
      if (!this.closed) this.failure = CallError.from(cause).message;
    }
  }

  close(): void {
    this.closed = true;
    this.leave();
  }

  /** Leads it to an instant; null: it stays. Of several that come while it is under way only the last counts. */
  lead(at: number | null): void {
    if (at === null) this.leads.drop();
    else if (this.ready) this.leads.ask(at);
  }

  private async go(at: number): Promise<void> {
    const { epoch } = this;
    if (epoch === null || at === this.at) return;
    try {
      await this.seek(epoch, at);
      const { units } = await this.frame(epoch);
      this.units = units ?? [];
      this.at = at;
    } catch (cause) {
      if (!this.closed) this.failure = CallError.from(cause).message;
    }
  }

  /** A file without an index is gone through by the program; what is known so far is shown meanwhile. */
  private async complete(epoch: number): Promise<void> {
    while (this.timeline?.complete === false && !this.closed) {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      this.timeline = await this.platform.call('timeline', { epoch });
    }
  }

  private async seek(epoch: number, value: number): Promise<void> {
    await this.platform.call('play', { epoch, action: 'seek', value, untilMs: null });
  }

  private async frame(epoch: number) {
    return decodeFrame(await this.platform.frame({ epoch, cursor: 0, watch: [], fresh: true })).tail;
  }

  private leave(): void {
    if (this.epoch === null) return;
    const { epoch } = this;
    this.epoch = null;
    // It may be gone already; there is nothing more to do about it.
    this.platform.call('close', { epoch }).catch(() => undefined);
  }
}
