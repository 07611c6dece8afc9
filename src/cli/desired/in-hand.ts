/** One (host, user) and its own roster, for the commands that change a little of it. */
import type { DesiredPlan, HeldPlace } from '../../domain/desired-plan.ts';
import { planDesired } from '../../domain/desired-plan.ts';
import { FleetError } from '../../domain/errors.ts';
import type { RosterAgent } from '../../domain/roster.ts';
import { parseRoster } from '../../roster/parse.ts';
import type { ViewMirror } from '../client/view-mirror.ts';
import type { CommandContext } from '../command.ts';
import { UsageError } from '../usage-error.ts';
import type { Change } from './change-run.ts';
import { errandsOf } from './errands.ts';
import { heldPlaces, isAgentOf, placesOf } from './held-places.ts';
import { askRosters, type HeldRoster } from './held-rosters.ts';
import type { Errand } from './place-work.ts';
import { awayRefusal, cannotEdit } from './refusals.ts';

export interface InHand {
  mirror: ViewMirror;
  place: HeldPlace;
  held: HeldRoster;
}

/**
 * Throws UNAVAILABLE where it cannot be asked now, FAILED_PRECONDITION where its roster cannot be read, PERMISSION_DENIED
 * for another cell's.
 */
export const takeInHand = async (
  { paths, signal }: CommandContext,
  mirror: ViewMirror,
  nowMono: number,
  id: string,
): Promise<InHand> => {
  const place = placesOf(mirror, nowMono).find((each) => each.id === id);
  if (place === undefined) {
    if (mirror.momentOf(id, nowMono) === undefined) throw new FleetError('NOT_FOUND', `no host ${id} in this view`);
    throw new FleetError(
      'PERMISSION_DENIED',
      `${id} is of another cell: to deploy is never granted, its own people do`,
    );
  }
  if (!place.current) throw awayRefusal(place, 'not current');
  const held = (await askRosters(paths, [place], signal)).get(id);
  if (held === undefined || held instanceof FleetError) throw held ?? awayRefusal(place, 'no answer');
  if (held.stored) throw awayRefusal(place, 'away');
  if (held.agents === null) throw cannotEdit(place, held.problem ?? 'no reason was told');
  const files = new Map([[id, { ...held, roster: held.agents }]]);
  const full = heldPlaces(mirror, nowMono, files).find((each) => each.id === id) as HeldPlace;
  return { mirror, place: full, held };
};

/** Where the entry of this agent stands in that roster; null for none. */
export const entryOf = ({ held, place }: InHand, name: string): { index: number; agent: RosterAgent } | null => {
  const index = (held.agents ?? []).findIndex((agent) => agent.name === name && isAgentOf(agent, place));
  return index === -1 ? null : { index, agent: held.agents?.[index] as RosterAgent };
};

/** What it takes to have `text` in force there, of these agents only; null: of all. Throws UsageError for a wrong text. */
export const changeTo = (
  hand: InHand,
  text: string,
  only: string | null,
  options: { force: boolean; launches: boolean },
): Change => {
  const { mirror, place, held } = hand;
  const { roster, problem } = parseRoster(text, held.path);
  if (roster === null) throw new UsageError(`${problem}; nothing was changed`);
  const plan = planFor(hand, roster.agents, only);
  const age = (): null => null;
  const rosters = new Map([[place.id, held]]);
  const surveyed = { places: [place], rosters, age, plan };
  const all = errandsOf(surveyed, { force: options.force, migrate: false, textFor: () => text });
  const errands = options.launches ? all : all.map(withoutLaunches);
  return { cell: mirror.cell, roster: held.path, plan, errands, isCurrent: () => true, age };
};

/** In its own roster an entry without a host is that place's. */
const planFor = ({ place }: InHand, agents: readonly RosterAgent[], only: string | null): DesiredPlan => {
  const wanted = agents
    .filter((agent) => isAgentOf(agent, place))
    .map((agent) => ({ ...agent, host: place.host, user: place.user }));
  const { places } = planDesired(wanted, [place], { placeIds: new Set([place.id]) });
  const meant = (agent: string): boolean => only === null || agent === only;
  const steps = (places[0]?.steps ?? []).filter(({ agent }) => meant(agent));
  return { places: [{ place, steps }], unplaced: [] };
};

const withoutLaunches = (errand: Errand): Errand => (errand.kind === 'work' ? { ...errand, deploys: [] } : errand);
