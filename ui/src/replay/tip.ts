// What was at an instant, in words: for the pointer on the time bar, and for those who hear it.

import type { Stretch } from '../charts/strip';
import { formatMeasured } from '../kit/format';
import { t, tOr } from '../messages';
import type { Screen } from '../shell/screen.svelte';
import type { Deck } from './deck.svelte';
import { gapNear, noticeNear } from './lanes';

export interface Tip {
  readonly time: string;
  readonly state: string;
  readonly more: readonly string[];
}

/** `x`: where it is on the bar, `width` of that, px. */
export function tipOf(screen: Screen, deck: Deck, at: number, x: number, width: number, lineAt: (at: number) => Stretch | undefined): Tip {
  const { timeline, span } = deck;
  const { time } = screen;
  const stretch = lineAt(at);
  const more: string[] = [];
  const gap = gapNear(timeline?.gaps ?? [], x, span, width);
  if (gap !== null) more.push(t('replay.tip.gap', { from: time.seconds(gap.fromMs), to: time.seconds(gap.toMs) }));
  const near = noticeNear(timeline?.notices ?? [], x, span, width);
  if (near !== null) {
    const title = `${time.seconds(near.notice.atMs)} ${screen.noticeWords(near.notice).title}`;
    more.push(near.more === 0 ? title : t('replay.tip.notices', { title, n: near.more }));
  }
  const value = tagAt(screen, deck, at);
  if (value !== null) more.push(value);
  return { time: time.seconds(at), state: stretch?.state == null ? t('replay.tip.none') : stateOf(stretch), more };
}

function stateOf({ kind, state }: Stretch): string {
  const planned = kind === 'changeover' || kind === 'maintenance' ? `${t(`strips.${kind}`)}, ` : '';
  return planned + tOr(`state.${state ?? 'Unknown'}`, state ?? '');
}

/** The value of the chosen tag: of its column, so a range where it moved. */
function tagAt(screen: Screen, deck: Deck, at: number): string | null {
  const { lane } = deck;
  if (lane === null || lane.tag !== deck.laneTag || at < lane.fromMs || at > lane.toMs) return null;
  const column = Math.min(lane.min.length - 1, Math.floor(((at - lane.fromMs) / (lane.toMs - lane.fromMs)) * lane.min.length));
  const [low, high] = [lane.min[column], lane.max[column]];
  const info = screen.directory.info(lane.tag);
  if (low == null || high == null || info === null) return null;
  const text = [...new Set([low, high].map((value) => formatMeasured(value, info.range)))].join('–');
  return `${info.name} ${text} ${info.unit}`.trim();
}
