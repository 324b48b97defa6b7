// Which tags the list shows: search words and a filter on what can be said of the value.

import type { LinkView, TagInfo, Trust } from '../generated/api';

export const TAG_FILTERS = ['all', 'notGood', 'late', 'refused'] as const;
export type TagFilter = (typeof TAG_FILTERS)[number];

/** What is searched: name, description and node, in lower case. */
export function haystack(tag: TagInfo): string {
  return `${tag.name}\n${tag.description}\n${tag.node}`.toLowerCase();
}

/** All words must occur, in any order. */
export function matches(hay: string, words: readonly string[]): boolean {
  return words.every((word) => hay.includes(word));
}

export function wordsOf(search: string): string[] {
  return search.toLowerCase().split(/\s+/).filter((word) => word !== '');
}

/** A tag that has not been watched yet (`null`) is not shown as bad, because that is not known. */
export function passes(filter: TagFilter, trust: Trust | null): boolean {
  switch (filter) {
    case 'all':
      return true;
    case 'notGood':
      return trust !== null && trust !== 'live';
    case 'late':
      return trust === 'late' || trust === 'silent' || trust === 'linkDown';
    case 'refused':
      return trust === 'refused';
  }
}

/**
 * The link decides: a value whose link is down or silent is not live, whatever was said of it before. A
 * refused tag stays refused.
 */
export function withLink(trust: Trust, link: LinkView | undefined): Trust {
  if (link === undefined || trust === 'refused' || trust === 'waiting' || trust === 'absent') return trust;
  if (link.state !== 'up') return 'linkDown';
  return link.subscription === 'live' || trust === 'linkDown' ? trust : 'silent';
}
