// Moments of a recording that another can be laid on: stops of its line, its bookmarks, and what happened to its data.

import type { PlantTime } from '../../kit/plant-time';
import { formatDuration } from '../../kit/format';
import { t, tOr } from '../../messages';
import { noticeWords } from '../words';
import type { Recording } from './side.svelte';

export interface Moment {
  readonly key: string;
  readonly at: number;
  readonly text: string;
}

/** More than these nobody picks from a list; the time can be typed. */
const MOST = 200;

/** In order of time. */
export function momentsOf(recording: Pick<Recording, 'timeline' | 'plant'> | null, time: PlantTime): Moment[] {
  const line = recording?.timeline ?? null;
  if (recording === null || line === null) return [];
  const { plant } = recording;
  const found: Moment[] = [];
  const add = (kind: string, at: number, words: string) => found.push({ key: `${kind}-${at}-${found.length}`, at, text: `${time.seconds(at)} ${words}` });
  const intervals = line.strips.find(({ unit }) => unit === plant?.constraint)?.intervals ?? [];
  intervals.forEach(({ startMs, kind, state }, index) => {
    if (kind !== 'stopped' && kind !== 'held') return;
    const lasted = formatDuration((intervals.at(index + 1)?.startMs ?? line.toMs) - startMs);
    add('stop', startMs, t('pair.stop', { state: tOr(`state.${state}`, state), lasted }));
  });
  for (const mark of line.marks) add('mark', mark.atMs, t('pair.mark', { text: mark.text }));
  for (const notice of line.notices) {
    const link = plant?.connections.find(({ id }) => id === notice.connection)?.name ?? null;
    add('notice', notice.atMs, noticeWords(notice, link, null, time).title);
  }
  return found.sort((x, y) => x.at - y.at).slice(0, MOST);
}
