// What is wrong now, from facts alone, most important first. Words are made from these in the views.

import type { LinkView, PlantInfo, RecorderView, UnitView } from '../generated/api';

export type Condition =
  | { kind: 'linkDown' | 'linkConnecting' | 'subscriptionLate' | 'subscriptionFrozen'; link: LinkView; since: number }
  | { kind: 'refused' | 'doubtful'; link: LinkView; count: number }
  | { kind: 'recorderFailed' | 'recorderLagging'; recorder: RecorderView; since: number }
  | { kind: 'problems'; count: number }
  | { kind: 'unmapped'; unit: UnitView; name: string }
  | { kind: 'unitStopped'; unit: UnitView; name: string; since: number; constraint: boolean };

export interface Facts {
  readonly at: number | null;
  readonly plant: PlantInfo | null;
  readonly problems: number;
  readonly links: readonly LinkView[];
  readonly recorder: RecorderView | null;
  readonly units: readonly UnitView[];
}

/** How much a condition disturbs: drives symbol and colour. */
export type Weight = 'critical' | 'warning' | 'notice';

export const WEIGHTS: Record<Condition['kind'], Weight> = {
  linkDown: 'critical',
  recorderFailed: 'critical',
  unitStopped: 'critical',
  subscriptionLate: 'warning',
  subscriptionFrozen: 'warning',
  recorderLagging: 'warning',
  refused: 'warning',
  problems: 'warning',
  unmapped: 'warning',
  doubtful: 'notice',
  linkConnecting: 'notice',
};

/** A unit other than the constraint that stands is not what holds the line up. */
export function weightOf(condition: Condition): Weight {
  return condition.kind === 'unitStopped' && !condition.constraint ? 'warning' : WEIGHTS[condition.kind];
}

const RANK: readonly Condition['kind'][] = [
  'linkDown', 'recorderFailed', 'subscriptionLate', 'subscriptionFrozen', 'unitStopped', 'recorderLagging', 'problems',
  'unmapped', 'refused', 'doubtful', 'linkConnecting',
];

export function conditionsOf(facts: Facts): Condition[] {
  const found = [...facts.links.flatMap(ofLink), ...ofRecorder(facts.recorder), ...ofUnits(facts)];
  if (facts.problems > 0) found.push({ kind: 'problems', count: facts.problems });
  return found.sort((a, b) => rank(a) - rank(b));
}

/** States in which a unit stands for a reason of its own. Waiting for others is not one of them. */
const STANDING = new Set(['Aborting', 'Aborted', 'Clearing', 'Stopping', 'Stopped', 'Holding', 'Held']);
const PLANNED = new Set(['Changeover', 'Maintenance']);

/** Does the unit stand, unplanned, and is that known to be so now? */
export function isStanding(unit: UnitView): boolean {
  return STANDING.has(unit.state) && !PLANNED.has(unit.mode) && unit.stateTrust === 'live';
}

function rank(condition: Condition): number {
  const constraintFirst = condition.kind === 'unitStopped' && condition.constraint ? -0.5 : 0;
  return RANK.indexOf(condition.kind) + constraintFirst;
}

function ofLink(link: LinkView): Condition[] {
  if (link.state === 'down') return [{ kind: 'linkDown', link, since: link.sinceMs }];
  if (link.state === 'connecting') return [{ kind: 'linkConnecting', link, since: link.sinceMs }];
  const found: Condition[] = [];
  if (link.subscription === 'late') found.push({ kind: 'subscriptionLate', link, since: link.subscriptionSinceMs });
  if (link.subscription === 'frozen') found.push({ kind: 'subscriptionFrozen', link, since: link.subscriptionSinceMs });
  if (link.refused > 0) found.push({ kind: 'refused', link, count: link.refused });
  if (link.doubtful > 0) found.push({ kind: 'doubtful', link, count: link.doubtful });
  return found;
}

function ofRecorder(recorder: RecorderView | null): Condition[] {
  if (recorder?.state === 'failed') return [{ kind: 'recorderFailed', recorder, since: recorder.sinceMs }];
  if (recorder?.state === 'lagging') return [{ kind: 'recorderLagging', recorder, since: recorder.sinceMs }];
  return [];
}

function ofUnits({ units, plant, at }: Facts): Condition[] {
  const found: Condition[] = [];
  for (const unit of units) {
    const name = plant?.units.find(({ id }) => id === unit.id)?.name ?? '';
    const constraint = unit.id === plant?.constraint;
    const long = at !== null && at - unit.stateSinceMs >= (plant?.minorStopMs ?? 0);
    if (unit.unmapped) found.push({ kind: 'unmapped', unit, name });
    // The constraint holds the whole line up from the first second.
    else if (isStanding(unit) && (constraint || long)) {
      found.push({ kind: 'unitStopped', unit, name, since: unit.stateSinceMs, constraint });
    }
  }
  return found;
}
