// The library of shifts as the screen knows it: the list, what was checked, and files on their way in.
//
// It outlives the view, so that a check or an import goes on while somebody looks elsewhere.

import type { ShiftInfo, ShiftList, VerifyView } from '../../generated/api';
import { CallError, type Platform } from '../../platform';
import type { Order } from './rows';
import { upload } from './upload';

/** The check of one file. */
export type Check =
  | { readonly state: 'running' }
  | { readonly state: 'done'; readonly view: VerifyView }
  | { readonly state: 'failed'; readonly detail: string };

/** A file on its way in. */
export interface Upload {
  readonly number: number;
  readonly file: File;
  readonly state: 'waiting' | 'sending' | 'done' | 'known' | 'refused' | 'broken';
  /** 0 to 1. */
  readonly share: number;
  /** Why it was not taken. */
  readonly detail: string;
  /** The recording that it became. */
  readonly shift: ShiftInfo | null;
}

export class Library {
  list = $state.raw<ShiftList | null>(null);
  /** Why the list could not be had, in English; null after a good answer. */
  failure = $state.raw<string | null>(null);
  search = $state.raw('');
  order = $state.raw<Order>({ by: 'date', down: true });
  /** The recording that is looked at, by its id. */
  chosen = $state.raw<string | null>(null);
  checks = $state.raw<Readonly<Record<string, Check>>>({});
  uploads = $state.raw<readonly Upload[]>([]);

  private numbers = 0;
  private sending = false;
  private asked = 0;

  constructor(private readonly platform: Platform) {}

  find(id: string | null): ShiftInfo | undefined {
    return this.list?.shifts.find((info) => info.id === id);
  }

  async load(): Promise<void> {
    await this.take(() => this.platform.call('shifts', null));
  }

  async pin(shift: string, pinned: boolean): Promise<void> {
    await this.take(() => this.platform.call('pin', { shift, pinned }));
  }

  async check(shift: string): Promise<void> {
    if (this.checks[shift]?.state === 'running') return;
    this.note(shift, { state: 'running' });
    try {
      this.note(shift, { state: 'done', view: await this.platform.call('verify', { shift }) });
    } catch (cause) {
      this.note(shift, { state: 'failed', detail: CallError.from(cause).message });
    }
    // A check can find damage that the list did not know of.
    await this.load();
  }

  /** Takes files in, one after the other, in the order given. */
  async bring(files: readonly File[]): Promise<void> {
    for (const file of files) {
      this.uploads = [...this.uploads, { number: ++this.numbers, file, state: 'waiting', share: 0, detail: '', shift: null }];
    }
    await this.send();
  }

  /** Tries a file again that did not come through. */
  async retry(number: number): Promise<void> {
    this.change(number, { state: 'waiting', share: 0, detail: '' });
    await this.send();
  }

  /** Takes a file off the list; one that is on its way is stopped. */
  dismiss(number: number): void {
    this.uploads = this.uploads.filter((one) => one.number !== number);
  }

  /** The answer that was asked for last counts. */
  private async take(ask: () => Promise<ShiftList>): Promise<void> {
    const turn = ++this.asked;
    try {
      const list = await ask();
      if (turn === this.asked) [this.list, this.failure] = [list, null];
    } catch (cause) {
      if (turn === this.asked) this.failure = CallError.from(cause).message;
    }
  }

  private note(shift: string, check: Check): void {
    this.checks = { ...this.checks, [shift]: check };
  }

  private change(number: number, change: Partial<Upload>): void {
    this.uploads = this.uploads.map((one) => (one.number === number ? { ...one, ...change } : one));
  }

  private async send(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    for (;;) {
      const next = this.uploads.find(({ state }) => state === 'waiting');
      if (next === undefined) break;
      await this.sendOne(next);
    }
    this.sending = false;
  }

  private async sendOne({ number, file }: Upload): Promise<void> {
    this.change(number, { state: 'sending' });
    try {
      const done = await upload(this.platform, file, {
        progress: (share) => this.change(number, { share }),
        stopped: () => this.uploads.every((one) => one.number !== number),
      });
      if (done === null) return;
      this.change(number, { state: done.known ? 'known' : 'done', share: 1, shift: done.shift });
      this.chosen = done.shift.id;
      await this.load();
    } catch (cause) {
      const { code, message } = CallError.from(cause);
      // Whoever refuses a file has looked at it; anything else can be another time.
      this.change(number, { state: code === 'refused' ? 'refused' : 'broken', detail: message });
    }
  }
}
