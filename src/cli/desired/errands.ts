/** Comes in: what was surveyed, and which text each place is to have. Goes out: what is to be done there, or why it is not. */
import type { DesiredPlan, HeldPlace, PlacePlan } from '../../domain/desired-plan.ts';
import { FleetError } from '../../domain/errors.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { isAgentOf } from './held-places.ts';
import type { HeldRoster } from './held-rosters.ts';
import { type Errand, isNothing, placeWork } from './place-work.ts';
import { awayRefusal, leavesShared } from './refusals.ts';
import type { Survey } from './survey.ts';

export interface ErrandOptions {
  force: boolean;
  migrate: boolean;
  /** To be in force at a place; null leaves its roster as it is. */
  textFor(plan: PlacePlan, place: HeldPlace, held: HeldRoster): string | null;
}

type Surveyed = Pick<Survey, 'places' | 'rosters' | 'age'> & { plan: DesiredPlan };

/** Places where nothing is to be done are left out. */
export const errandsOf = (surveyed: Surveyed, options: ErrandOptions): Errand[] =>
  surveyed.plan.places.flatMap((plan) => {
    const place = surveyed.places.find(({ id }) => id === plan.place.id) as HeldPlace;
    const errand = errandOf(surveyed, plan, place, options);
    return isNothing(errand) ? [] : [errand];
  });

const errandOf = (surveyed: Surveyed, plan: PlacePlan, place: HeldPlace, options: ErrandOptions): Errand => {
  const steps = plan.steps.filter(({ action }) => action !== 'keep');
  try {
    const held = surveyed.rosters.get(place.id);
    const age = surveyed.age(place.id);
    if (held === undefined) throw awayRefusal(place, age ?? 'no answer');
    if (held instanceof FleetError && age !== null) throw awayRefusal(place, age, held.message);
    if (held instanceof FleetError) throw held;
    const away = held.stored ? (age ?? 'away') : null;
    const text = options.textFor(plan, place, held);
    const work = placeWork({ place, plan, held, away, text, force: options.force });
    const leaving = options.migrate ? [] : leavingShared(plan, place, held);
    if (leaving.length > 0) throw leavesShared(leaving);
    return work;
  } catch (error) {
    if (!(error instanceof FleetError)) throw error;
    return { kind: 'refused', place, steps, reason: error.message, exitCode: exitCodeOf[error.code] };
  }
};

/** Agents that run on a shared server and would get one of their own. */
const leavingShared = ({ steps }: PlacePlan, place: HeldPlace, { agents }: HeldRoster): string[] => {
  const shared = new Set(
    (agents ?? []).filter((agent) => agent.layout === 'shared' && isAgentOf(agent, place)).map(({ name }) => name),
  );
  return steps
    .filter(
      ({ agent, changes }) =>
        shared.has(agent) && changes.some(({ field, to }) => field === 'layout' && to === 'isolated'),
    )
    .map(({ agent }) => agent);
};
