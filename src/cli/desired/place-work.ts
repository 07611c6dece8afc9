/**
 * Comes in: the plan of one (host, user), its roster, and the text that is to be in force there. Goes out: the orders that it
 * takes, in their order: what ends, while the roster on disk still names it; the roster; what it makes.
 */
import type { HeldPlace, PlacePlan, PlanStep } from '../../domain/desired-plan.ts';
import { rosterDigest } from '../../roster/digest.ts';
import { asJson } from '../../roster/edit/as-json.ts';
import { isJson } from '../../roster/edit/changed-json.ts';
import type { HeldRoster } from './held-rosters.ts';
import { cannotRead } from './refusals.ts';

export interface PlaceWork {
  kind: 'work';
  place: HeldPlace;
  held: HeldRoster;
  /** How long it is away; null where it can be told now. */
  away: string | null;
  /** To be written first; null where the roster on disk says so already. */
  put: string | null;
  /** Also over a roster that was not seen, or cannot be read: that one is kept beside it. */
  force: boolean;
  removes: PlanStep[];
  /** In roster order. */
  deploys: PlanStep[];
}

/** Why nothing is begun at a place; `code` as of the error that says so. */
export interface RefusedWork {
  kind: 'refused';
  place: HeldPlace;
  steps: PlanStep[];
  reason: string;
  exitCode: number;
}

export type Errand = PlaceWork | RefusedWork;

export interface WorkRequest {
  place: HeldPlace;
  plan: PlacePlan;
  held: HeldRoster;
  away: string | null;
  /** null: the roster on disk as it is. */
  text: string | null;
  force: boolean;
}

/** Throws FAILED_PRECONDITION where a file that cannot be read would be replaced unseen. */
export const placeWork = ({ place, plan, held, away, text, force }: WorkRequest): PlaceWork => {
  // Where there is no roster and nobody is wanted, none is made.
  const wanted = text === null || (held.text === null && plan.steps.length === 0) ? null : asLies(text, held);
  const put = wanted === null || rosterDigest(wanted) === held.digest ? null : wanted;
  if (put !== null && held.problem !== null && !force) throw cannotRead(place, held.problem);
  return {
    kind: 'work',
    place,
    held,
    away,
    put,
    force,
    removes: plan.steps.filter(({ action }) => action === 'remove'),
    deploys: plan.steps.filter(({ action }) => action !== 'remove' && action !== 'keep'),
  };
};

/** A host that keeps its roster as JSON is sent JSON. */
const asLies = (text: string, { path }: HeldRoster): string =>
  path.endsWith('.json') && !isJson(text) ? asJson(text) : text;

export const isNothing = (errand: Errand): boolean =>
  errand.kind === 'work' && errand.put === null && errand.removes.length === 0 && errand.deploys.length === 0;

/** What becomes of the roster itself, for people; null where it stays. */
export const rosterWords = (errand: Errand): string | null => {
  if (errand.kind !== 'work' || errand.put === null) return null;
  const { held, removes, deploys } = errand;
  if (held.text === null) return `${held.path}: its first roster`;
  return removes.length + deploys.length === 0 ? `${held.path}: the same agents, in other words` : null;
};
