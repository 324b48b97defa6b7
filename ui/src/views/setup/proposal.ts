// Parts of a proposal, and texts of numbers as a person types them.

import type { TagProposal, UnitProposal } from '../../generated/api';

/** How often each name is there. */
export function countsOf(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Every tag that a unit needs. */
export function tagsOf(unit: UnitProposal): string[] {
  return [unit.state?.tag, unit.mode?.tag, unit.speed, unit.good?.tag, unit.reject?.tag].filter((name) => name != null);
}

/** `0 = Stopped, 1 = Running` */
export function textsToText(texts: TagProposal['texts']): string {
  return texts.map(({ value, text }) => `${value} = ${text}`).join(', ');
}

/** The other way round; what is no number with a text is left out. */
export function textsFromText(text: string): TagProposal['texts'] {
  return text.split(/[,;\n]/).flatMap((part) => {
    const found = /^\s*(-?\d+)\s*[=:]\s*(.+?)\s*$/.exec(part);
    return found === null ? [] : [{ value: Number(found[1]), text: found[2] }];
  });
}

/** `range` with another end; an end that is missing is NaN, and no range is left where both are. */
export function rangeWith(range: TagProposal['range'], end: 0 | 1, text: string): TagProposal['range'] {
  const typed = text.trim() === '' ? NaN : Number(text.replace(',', '.'));
  const changed: [number, number] = [range?.[0] ?? NaN, range?.[1] ?? NaN];
  changed[end] = typed;
  return text.trim() === '' && Number.isNaN(changed[1 - end]) ? null : changed;
}

/** At most `max` names that contain what was typed, those that begin with it first. */
export function namesLike(names: readonly string[], typed: string, max: number): string[] {
  const wanted = typed.trim().toLowerCase();
  const found = names.filter((name) => name.toLowerCase().includes(wanted));
  const begins = (name: string) => (name.toLowerCase().startsWith(wanted) ? 0 : 1);
  return found.sort((a, b) => begins(a) - begins(b)).slice(0, max);
}
