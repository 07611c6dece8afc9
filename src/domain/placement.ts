/** Where the agents of one roster belong, among the host-agents of a cell. An entry without a host belongs here. */
import type { RosterAgent } from './roster.ts';

/** One (host, user). */
export interface Place {
  /** `host/user`. */
  id: string;
  host: string;
  user: string;
  tenantId: string;
  /** It is the one for which the roster is read: entries without a host are its own. */
  here: boolean;
  /** Other names by which a roster may call its machine. */
  alsoCalled: readonly string[];
}

export interface Unplaced {
  agent: string;
  /** As the roster names it: `name` or `user@name`; null is this host. */
  host: string | null;
  why: string;
}

export interface Placement {
  /** By the id of a place, in roster order; places without an entry are not in it. */
  agents: Map<string, RosterAgent[]>;
  unplaced: Unplaced[];
}

export const placeAgents = (agents: readonly RosterAgent[], places: readonly Place[]): Placement => {
  const placed = new Map<string, Map<string, RosterAgent>>();
  const unplaced: Unplaced[] = [];
  const tenantId = places.find(({ here }) => here)?.tenantId ?? null;
  for (const agent of agents) {
    const found = placeOf(agent, places, tenantId);
    const taken = typeof found === 'string' ? undefined : (placed.get(found.id) ?? new Map<string, RosterAgent>());
    const why =
      typeof found === 'string'
        ? found
        : taken?.has(agent.name)
          ? `${found.id} has that name from another entry`
          : null;
    if (why === null && typeof found !== 'string') placed.set(found.id, taken!.set(agent.name, agent));
    else unplaced.push({ agent: agent.name, host: hostWords(agent), why: why! });
  }
  return { agents: new Map(Array.from(placed, ([id, held]) => [id, [...held.values()]])), unplaced };
};

/** Whether an entry of a host-agent's own roster is that host-agent's; `hostNames` are all by which its machine goes. */
export const belongsHere = (
  { host, user }: RosterAgent,
  here: { hostNames: readonly string[]; user: string },
): boolean => (host === null || here.hostNames.includes(host)) && (user === null || user === here.user);

/** As a roster writes it. */
const hostWords = ({ host, user }: RosterAgent): string | null =>
  host === null ? null : user === null ? host : `${user}@${host}`;

/** The place that `name` or `user@name` means, as it would in a roster here; or why there is none. */
export const placeNamed = (named: Pick<RosterAgent, 'host' | 'user'>, places: readonly Place[]): Place | string =>
  placeOf(named, places, places.find(({ here }) => here)?.tenantId ?? null);

const placeOf = (
  { host, user }: Pick<RosterAgent, 'host' | 'user'>,
  places: readonly Place[],
  tenantId: string | null,
): Place | string => {
  if (host === null) return places.find(({ here }) => here) ?? 'it names no host, and no host-agent answers here';
  const there = places.filter((place) => place.host === host || place.alsoCalled.includes(host));
  if (there.length === 0) return `no host ${host} is known`;
  if (user !== null) return there.find((place) => place.user === user) ?? `${host} has no user ${user}`;
  // A host alone means the tenant's only user there.
  const ours = there.filter((place) => place.tenantId === tenantId);
  if (ours.length === 1) return ours[0] as Place;
  if (ours.length === 0) return `${host} has no user of your tenant: write user@${host}`;
  return `${host} has several users: write ${ours
    .map((place) => `${place.user}@${host}`)
    .sort()
    .join(' or ')}`;
};
