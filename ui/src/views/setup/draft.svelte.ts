// What was proposed, as a person changes it before it is written.

import type { Proposal, TagProposal, UnitProposal } from '../../generated/api';
import { countsOf, tagsOf } from './proposal';

export interface TagRow {
  take: boolean;
  tag: TagProposal;
}

export interface UnitRow {
  take: boolean;
  unit: UnitProposal;
}

export type TagProblem = 'noName' | 'twice' | 'range';
export type UnitProblem = 'noName' | 'twice' | 'missing';

export class Draft {
  tags = $state<TagRow[]>([]);
  units = $state<UnitRow[]>([]);
  readonly notes: readonly string[];

  constructor(proposal: Proposal) {
    this.notes = proposal.notes;
    this.tags = proposal.tags.map((tag) => ({ take: !tag.known, tag }));
    this.units = proposal.units.map((unit) => ({ take: !unit.known, unit }));
  }

  readonly tagCount = $derived(this.tags.filter(({ take, tag }) => take && !tag.known).length);
  readonly unitCount = $derived(this.units.filter(({ take, unit }) => take && !unit.known).length);

  /** How often each name is taken. */
  private readonly names = $derived(countsOf(this.tags.filter(({ take, tag }) => take || tag.known).map(({ tag }) => tag.name)));

  /** A unit refers to its tags by name: a new name reaches it. */
  rename(row: TagRow, name: string): void {
    const before = row.tag.name;
    row.tag.name = name;
    for (const { unit } of this.units) {
      if (unit.speed === before) unit.speed = name;
      for (const part of [unit.state, unit.mode, unit.good, unit.reject]) if (part?.tag === before) part.tag = name;
    }
  }

  /** What is wrong with a row; empty where nothing is. */
  problemOf({ take, tag }: TagRow): TagProblem | null {
    if (!take || tag.known) return null;
    if (tag.name.trim() === '') return 'noName';
    if ((this.names.get(tag.name) ?? 0) > 1) return 'twice';
    if (tag.range !== null && !(tag.range[0] < tag.range[1])) return 'range';
    return null;
  }

  unitProblemOf({ take, unit }: UnitRow): UnitProblem | null {
    if (!take || unit.known) return null;
    if (unit.name.trim() === '') return 'noName';
    if (this.units.filter((other) => other.take && other.unit.name === unit.name).length > 1) return 'twice';
    return tagsOf(unit).some((name) => !this.names.has(name)) ? 'missing' : null;
  }

  readonly problems = $derived(
    this.tags.filter((row) => this.problemOf(row) !== null).length + this.units.filter((row) => this.unitProblemOf(row) !== null).length,
  );

  taken(): { units: UnitProposal[]; tags: TagProposal[] } {
    return {
      units: $state.snapshot(this.units).filter(({ take, unit }) => take && !unit.known).map(({ unit }) => unit),
      tags: $state.snapshot(this.tags).filter(({ take, tag }) => take && !tag.known).map(({ tag }) => tag),
    };
  }
}
