// One what-if of one recording: its parameters, what was typed, and the result of the last run.

import type { ParameterView, WhatIfResult } from '../../generated/api';
import { CallError, type Platform } from '../../platform';
import { changesOf, entryOf, type Typed } from './figures';

export class Trial {
  /** Null: not told yet. */
  parameters = $state.raw<readonly ParameterView[] | null>(null);
  typed = $state.raw<Typed>({});
  running = $state.raw(false);
  result = $state.raw<WhatIfResult | null>(null);
  failure = $state.raw<string | null>(null);
  /** What the result was made with. */
  private ranWith = $state.raw('');

  readonly changes = $derived(changesOf(this.parameters ?? [], this.typed));
  readonly wrong = $derived((this.parameters ?? []).some((parameter) => entryOf(parameter, this.typed) === 'wrong'));
  /** Something was typed since: the result belongs to other values. */
  readonly outdated = $derived(this.result !== null && this.ranWith !== JSON.stringify(this.changes));

  constructor(
    private readonly platform: Platform,
    readonly epoch: number,
  ) {}

  async load(): Promise<void> {
    try {
      this.parameters = (await this.platform.call('parameters', { epoch: this.epoch })).parameters;
    } catch (cause) {
      this.failure = CallError.from(cause).message;
    }
  }

  type(path: string, text: string): void {
    this.typed = { ...this.typed, [path]: text };
  }

  /** Back to what is recorded; without a path all of them. */
  reset(path?: string): void {
    this.typed = path === undefined ? {} : Object.fromEntries(Object.entries(this.typed).filter(([key]) => key !== path));
  }

  async run(): Promise<void> {
    const { changes } = this;
    if (this.running || this.wrong || changes.length === 0) return;
    this.running = true;
    this.failure = null;
    try {
      this.result = await this.platform.call('what_if', { epoch: this.epoch, changes });
      this.ranWith = JSON.stringify(changes);
    } catch (cause) {
      this.failure = CallError.from(cause).message;
    }
    this.running = false;
  }
}

let last: { platform: Platform; trial: Trial } | null = null;

/** The what-if of an opened recording: what was typed and found stays while somebody looks elsewhere. */
export function trialOf(platform: Platform, epoch: number): Trial {
  if (last?.platform !== platform || last.trial.epoch !== epoch) {
    last = { platform, trial: new Trial(platform, epoch) };
    void last.trial.load();
  }
  return last.trial;
}
