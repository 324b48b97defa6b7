// One request at a time: of those that come while one is under way only the last is made, when it has ended.

export class Latest<T> {
  private busy = false;
  private next: { wanted: T } | null = null;

  constructor(
    /** Never rejects. */
    private readonly run: (wanted: T) => Promise<void>,
    /** The least time between two beginnings, ms. */
    private readonly pauseMs = 0,
  ) {}

  ask(wanted: T): void {
    this.next = { wanted };
    if (!this.busy) void this.work();
  }

  /** What waits is not wanted any more. */
  drop(): void {
    this.next = null;
  }

  private async work(): Promise<void> {
    this.busy = true;
    while (this.next !== null) {
      const { wanted } = this.next;
      this.next = null;
      const pause = new Promise((resolve) => setTimeout(resolve, this.pauseMs));
      await this.run(wanted);
      if (this.pauseMs > 0) await pause;
    }
    this.busy = false;
  }
}
