// The facts of the connections for what needs attention: frames do not carry them, and few of them change often.
//
// They are asked for when a frame says that there is news, at most every ASK_MS, and never two at a time. The clock read
// here paces requests; it never reaches the screen.

import type { ConnectionView } from '../generated/api';
import type { Platform } from '../platform';

export const ASK_MS = 10_000;

/** A certificate is worth planning for from here on, and urgent from there on. Days. */
export const WARN_DAYS = 30;
export const ALARM_DAYS = 7;
/** Beyond this the clocks of server and PC cannot be taken for the same (domain 6.6). */
export const SKEW_MS = 2_000;
/** A service level from here on is healthy (OPC 10000-4 6.6.2.4.2). */
export const HEALTHY = 200;
export const DAY_MS = 86_400_000;

export class Reports {
  told: readonly ConnectionView[] = [];
  /** The news that was asked for last; null: none yet. */
  private seen: number | null = null;
  private askedAt = -Infinity;
  private busy = false;
  /** The session whose connections they are. */
  private epoch = 0;
  private generation = 0;

  constructor(
    private readonly platform: Platform,
    /** Called after an answer. */
    private readonly changed: () => void,
  ) {}

  /** Another session: whatever was told is void. */
  reset(epoch: number): void {
    this.told = [];
    this.seen = null;
    this.askedAt = -Infinity;
    this.epoch = epoch;
    this.generation++;
  }

  /** `news`: what a frame says; grows with the facts. */
  follow(news: number): void {
    if (this.busy || news === this.seen || performance.now() - this.askedAt < ASK_MS) return;
    void this.ask(news);
  }

  private async ask(news: number): Promise<void> {
    const { generation } = this;
    this.busy = true;
    this.askedAt = performance.now();
    try {
      const { connections } = await this.platform.call('connections', { epoch: this.epoch });
      if (generation !== this.generation) return;
      this.told = connections;
      this.seen = news;
      this.changed();
    } catch {
      // Whether the program answers at all is told by frames; the next one asks again.
    } finally {
      this.busy = false;
    }
  }
}

/** When an announced shutdown comes, ms since 1970; null: none is announced. */
export function shutdownAt({ report, reportedMs }: ConnectionView): number | null {
  return report === null || report.shutdownS === null || reportedMs === null ? null : reportedMs + report.shutdownS * 1000;
}
