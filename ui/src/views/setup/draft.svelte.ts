// What was proposed, as a person changes it before it is written.
//
// There can be tens of thousands of tags: a row is replaced when it changes, and everything that is said of all rows is
// made in one pass. A signal for each cell would cost more than the whole list.

import type { Proposal, TagProposal, UnitProposal } from '../../generated/api';
import { countsOf, tagsOf } from './proposal';

export interface TagRow {
  readonly take: boolean;
  readonly tag: Readonly<TagProposal>;
}

export interface UnitRow {
  take: boolean;
  unit: UnitProposal;
}

export type TagProblem = 'noName' | 'twice' | 'range';
export type UnitProblem = 'noName' | 'twice' | 'missing';

export class Draft {
  tags = $state.raw<readonly TagRow[]>([]);
  /** In the order of the material flow; those in plant.toml already come first. */
  units = $state<UnitRow[]>([]);
  readonly notes: readonly string[];

  constructor(proposal: Proposal) {
    this.notes = proposal.notes;
    this.tags = proposal.tags.map((tag) => ({ take: !tag.known, tag }));
    const units = proposal.units.map((unit) => ({ take: !unit.known, unit }));
    this.units = [...units.filter(({ unit }) => unit.known), ...units.filter(({ unit }) => !unit.known)];
  }

  readonly tagCount = $derived(this.tags.filter(isTaken).length);
  readonly unitCount = $derived(this.units.filter(({ take, unit }) => take && !unit.known).length);
  /** Names that a unit can take a figure from. */
  readonly tagNames = $derived(this.tags.map(({ tag }) => tag.name));

  /** How often each name is taken. */
  private readonly names = $derived(countsOf(this.tags.filter(({ take, tag }) => take || tag.known).map(({ tag }) => tag.name)));

  /** What is wrong with each tag; null where nothing is. */
  readonly tagProblems: readonly (TagProblem | null)[] = $derived(this.tags.map((row) => problemOf(row, this.names)));
  readonly problems = $derived(
    this.tagProblems.filter((problem) => problem !== null).length + this.units.filter((row) => this.unitProblemOf(row) !== null).length,
  );

  change(index: number, change: Partial<TagProposal>): void {
    const { take, tag } = this.tags[index];
    this.tags = this.tags.with(index, { take, tag: { ...tag, ...change } });
  }

  take(index: number, take: boolean): void {
    this.tags = this.tags.with(index, { ...this.tags[index], take });
  }

  takeAll(take: boolean): void {
    this.tags = this.tags.map((row) => (row.tag.known || row.take === take ? row : { ...row, take }));
  }

  /** A unit refers to its tags by name: a new name reaches it. */
  rename(index: number, name: string): void {
    const before = this.tags[index].tag.name;
    this.change(index, { name });
    for (const { unit } of this.units) {
      if (unit.speed === before) unit.speed = name;
      for (const part of [unit.state, unit.mode, unit.good, unit.reject]) if (part?.tag === before) part.tag = name;
    }
  }

  /** Can this unit change places with the one before (-1) or after (1)? Those in plant.toml stay where they are. */
  canMove(index: number, by: -1 | 1): boolean {
    const other = this.units.at(index + by);
    return index + by >= 0 && other !== undefined && !other.unit.known && !this.units[index].unit.known;
  }

  move(index: number, by: -1 | 1): void {
    if (!this.canMove(index, by)) return;
    const [row] = this.units.splice(index, 1);
    this.units.splice(index + by, 0, row);
  }

  unitProblemOf({ take, unit }: UnitRow): UnitProblem | null {
    if (!take || unit.known) return null;
    if (unit.name.trim() === '') return 'noName';
    if (this.units.filter((other) => other.take && other.unit.name === unit.name).length > 1) return 'twice';
    return tagsOf(unit).some((name) => !this.names.has(name)) ? 'missing' : null;
  }

  taken(): { units: UnitProposal[]; tags: TagProposal[] } {
    return {
      units: $state.snapshot(this.units).filter(({ take, unit }) => take && !unit.known).map(({ unit }) => unit),
      tags: this.tags.filter(isTaken).map(({ tag }) => tag),
    };
  }
}

function isTaken({ take, tag }: TagRow): boolean {
  return take && !tag.known;
}

function problemOf(row: TagRow, names: ReadonlyMap<string, number>): TagProblem | null {
  const { tag } = row;
  if (!isTaken(row)) return null;
  if (tag.name.trim() === '') return 'noName';
  if ((names.get(tag.name) ?? 0) > 1) return 'twice';
  return tag.range !== null && !(tag.range[0] < tag.range[1]) ? 'range' : null;
}
