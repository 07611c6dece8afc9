/**
 * Comes in: a roster, the places of the view, what was asked for. Goes out: which entries are compared, and with which
 * places. A place that nobody named is in no scope: its agents would all look as if they were to go.
 */
import { EVERYTHING } from '../../domain/agent-filter.ts';
import type { HeldPlace, PlanScope } from '../../domain/desired-plan.ts';
import { FleetError } from '../../domain/errors.ts';
import { placeAgents } from '../../domain/placement.ts';
import type { RosterAgent } from '../../domain/roster.ts';
import type { Picture } from '../picture.ts';
import { checkNamedHosts } from '../view-request.ts';

export interface DiffScope extends PlanScope {
  wanted: RosterAgent[];
  /** Entries that are left out. */
  passedOver: number;
}

export interface DiffRequest {
  /** Empty: those that the roster names, or this one alone. */
  hosts: readonly string[];
  /** This user's own roster is that of this host-agent alone. */
  isOwn: boolean;
}

/** Throws NOT_FOUND for a host that was asked for and is not in the view, or means several users and names none. */
export const diffScope = (
  agents: readonly RosterAgent[],
  places: readonly HeldPlace[],
  { hosts, isOwn }: DiffRequest,
  picture: Picture,
): DiffScope => {
  const here = places.find((place) => place.here);
  const nameOf = ({ host }: RosterAgent): string | undefined =>
    host === null || here?.alsoCalled.includes(host) ? here?.host : host;
  if (hosts.length > 0) {
    checkNamedHosts({ ...EVERYTHING, hosts }, picture, [...new Set(places.map(({ host }) => host))]);
    const wanted = agents.filter((agent) => hosts.includes(nameOf(agent) ?? ''));
    const placeIds = new Set([...placeAgents(wanted, places).agents.keys(), ...onlyOnes(places, hosts)]);
    for (const host of hosts) {
      const isNamed = wanted.some((agent) => nameOf(agent) === host);
      if (!isNamed && !places.some((place) => place.host === host && placeIds.has(place.id)))
        throw noneMeant(host, places);
    }
    return { wanted, placeIds, passedOver: agents.length - wanted.length };
  }
  if (!isOwn) return { wanted: [...agents], placeIds: null, passedOver: 0 };
  const wanted = agents.filter((agent) => here !== undefined && nameOf(agent) === here.host && isFor(agent, here.user));
  return { wanted, placeIds: new Set(here ? [here.id] : []), passedOver: agents.length - wanted.length };
};

const isFor = ({ user }: RosterAgent, name: string): boolean => user === null || user === name;

/** The tenant's only user on each of these hosts, whom the host's name alone means. */
const onlyOnes = (places: readonly HeldPlace[], hosts: readonly string[]): string[] => {
  const tenantId = places.find(({ here }) => here)?.tenantId;
  return hosts.flatMap((host) => {
    const ours = places.filter((place) => place.host === host && place.tenantId === tenantId);
    return ours.length === 1 ? ours.map(({ id }) => id) : [];
  });
};

const noneMeant = (host: string, places: readonly HeldPlace[]): FleetError => {
  const users = places.filter((place) => place.host === host).map(({ user }) => `${user}@${host}`);
  return new FleetError(
    'NOT_FOUND',
    `the roster names no agent of ${host}; with an entry of ${users.join(' or ')} it can be compared`,
  );
};
