/**
 * What `diff` and `apply` look at before they say anything: the roster that is wanted, the view, and of every place in scope
 * its own roster and env files. Changes nothing.
 */

import { EVERYTHING } from '../../domain/agent-filter.ts';
import { type DesiredPlan, type HeldPlace, planDesired } from '../../domain/desired-plan.ts';
import { FleetError } from '../../domain/errors.ts';
import { placeAgents } from '../../domain/placement.ts';
import { agentUnit } from '../../domain/unit-name.ts';
import { systemClock } from '../../runtime/clock.ts';
import { takeSnapshot } from '../client/snapshot.ts';
import type { ViewMirror } from '../client/view-mirror.ts';
import type { CommandContext } from '../command.ts';
import { type Picture, takePicture } from '../picture.ts';
import { fine } from '../render/duration.ts';
import { localOnlyLine } from '../render/notes.ts';
import { UsageError } from '../usage-error.ts';
import { type DiffScope, diffScope } from './diff-scope.ts';
import { heldPlaces, type OwnFiles, type PlaceFiles, placesOf, readOwnFiles } from './held-places.ts';
import { askRosters, type HeldRoster } from './held-rosters.ts';
import { type Desired, readDesired } from './read-desired.ts';

export interface Survey {
  desired: Desired;
  mirror: ViewMirror;
  picture: Picture;
  scope: DiffScope;
  places: readonly HeldPlace[];
  plan: DesiredPlan;
  /** Of every place in scope: its roster, what is stored of one that is away, or why it is not told. */
  rosters: ReadonlyMap<string, HeldRoster | FleetError>;
  /** For people, before the plan. */
  notes: string[];
  isCurrent(placeId: string): boolean;
  /** How old what is known of a place is; null for what is current. */
  age(placeId: string): string | null;
}

/** Rejects with UsageError where the roster is this machine’s and another controller is asked, and as reading it does. */
export const survey = async ({ flags, paths, signal }: CommandContext): Promise<Survey> => {
  const hosts = Array.isArray(flags.host) ? flags.host : [];
  const desired = await readDesired(flags.file as string | undefined, paths.mosaicHome);
  const localOnly = desired.isOwn && hosts.length === 0;
  if (localOnly && paths.context !== null) {
    throw new UsageError(
      `${desired.path} is this machine’s roster, and context ${paths.context} is asked: add --host HOST`,
    );
  }
  const mirror = await takeSnapshot(paths, { localOnly, hostsOnly: false, clock: systemClock, signal });
  const now = systemClock.monotonicMs();
  const picture = takePicture(mirror, now, { filter: EVERYTHING, localOnly, compare: null });
  const bare = heldPlaces(mirror, now, new Map());
  const { agents } = desired.roster;
  const scope = diffScope(agents, bare, { hosts, isOwn: desired.isOwn }, picture);
  const inScope = scope.placeIds ?? new Set(placeAgents(scope.wanted, bare).agents.keys());
  const asked = placesOf(mirror, now).filter(({ id }) => inScope.has(id));
  const rosters = await askRosters(paths, asked, signal);
  const files = new Map<string, PlaceFiles>();
  const notes = [...desired.notes];
  for (const { id, here, host, user, current } of asked) {
    const told = rosters.get(id);
    if (told === undefined) continue;
    const known = told instanceof FleetError && here ? await ownFiles(paths.mosaicHome, desired, mirror, id) : told;
    if (known instanceof FleetError) {
      if (current)
        notes.push(`${host}/${user}: its roster is not known, only what fleet ps tells is compared: ${known.message}`);
      continue;
    }
    notes.push(...problemsOf(known));
    if ('leftOver' in known) notes.push(...known.leftOver.map((agent) => leftOverWords(`${host}/${user}`, agent)));
    // The roster in force against itself would differ in nothing: what its host-agent made of it is in the rows.
    const roster = 'roster' in known ? known.roster : known.agents;
    files.set(id, { ...known, roster: here && desired.isOwn ? null : roster });
  }
  const places = heldPlaces(mirror, now, files);
  const warning = localOnlyLine(picture);
  return {
    desired,
    mirror,
    picture,
    scope,
    places,
    plan: planDesired(scope.wanted, places, scope),
    rosters,
    notes: warning === null ? notes : [warning, ...notes],
    isCurrent: (id) => mirror.momentOf(id, now)?.current ?? false,
    age: (id) => lastSeen(mirror, id, now),
  };
};

/** A host-agent of before does not tell them. */
const ownFiles = (mosaicHome: string, desired: Desired, mirror: ViewMirror, id: string): Promise<OwnFiles> => {
  const names = Array.from(mirror.rowsOf(id), ({ row }) => row.agent);
  return readOwnFiles(mosaicHome, { roster: !desired.isOwn, names });
};

const problemsOf = (known: HeldRoster | OwnFiles): string[] => {
  if ('notes' in known) return known.notes;
  return known.problem === null ? [] : [`the roster in force cannot be read: ${known.problem}`];
};

const leftOverWords = (place: string, agent: string): string => {
  return `${place}: ${agent} is in no roster there, and its operator's own unit brings it back at boot: systemctl --user disable --now ${agentUnit(agent)}`;
};

const lastSeen = (mirror: ViewMirror, id: string, now: number): string | null => {
  const moment = mirror.momentOf(id, now);
  if (!moment || moment.current) return null;
  return `${moment.link.state}: as last seen ${fine(moment.observedAgeSeconds)} ago`;
};
