// What the event keys go to: a stop, a gap, any notice, a bookmark, a change of a tag. Only what has data behind it.

import type { FindRequest, NoticeKind } from '../generated/api';

/** One kind of step. `unit` null: of the line. */
export type Step =
  | { readonly what: 'stop'; readonly unit: number | null }
  | { readonly what: 'gap' | 'notice' | 'mark' }
  /** Whatever was recorded next. */
  | { readonly what: 'record' }
  | { readonly what: 'change'; readonly tag: number };

export const PLAIN_STEPS = ['stop', 'gap', 'notice', 'mark', 'record'] as const;

/** The question for the next one in a direction, strictly after `fromMs`. */
export function findOf(step: Exclude<Step, { what: 'record' }>, epoch: number, fromMs: number, forward: boolean): FindRequest {
  return {
    epoch, fromMs, forward, what: step.what, kinds: [], unit: step.what === 'stop' ? step.unit : null, tag: step.what === 'change' ? step.tag : null,
    condition: null,
  };
}

export type NoticeWeight = 'critical' | 'warning' | 'notice';

const CRITICAL: ReadonlySet<NoticeKind> = new Set<NoticeKind>([
  'linkDown', 'recorderFailed', 'serverNotRunning', 'heartbeatLost', 'gapNotRecorded',
]);
const HARMLESS: ReadonlySet<NoticeKind> = new Set<NoticeKind>([
  'started', 'linkUp', 'subscriptionLive', 'itemAccepted', 'gapFilled', 'serverRunning', 'serverHealthy', 'clockAgrees', 'recorderRecovered', 'shiftStarted',
  'metaChanged',
]);

/** How much a notice disturbs: the density on the time bar is drawn by it. */
export function noticeWeight(kind: NoticeKind): NoticeWeight {
  if (CRITICAL.has(kind)) return 'critical';
  return HARMLESS.has(kind) ? 'notice' : 'warning';
}
