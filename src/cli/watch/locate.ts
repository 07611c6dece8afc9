/** Agents by what a person typed, and again later: one that began anew has another key. */
import { parseAddress } from '../../domain/address.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Paths } from '../../runtime/paths.ts';
import { takeSnapshot } from '../client/snapshot.ts';
import { agentIn } from '../orders/change-target.ts';
import type { AgentPlace } from './persistent-stream.ts';

export interface LocatedAgent {
  /** `cell/host/user/agent`. */
  address: string;
  place: AgentPlace;
  /** Where it is now; null where its host-agent is heard and has none of that name. */
  find: (signal: AbortSignal) => Promise<AgentPlace | null>;
}

/** Each once, in the order in which they were typed. Throws NOT_FOUND for none or several, UNAVAILABLE where no host-agent answers here. */
export const locateAgents = async (
  paths: Paths,
  typed: readonly string[],
  signal: AbortSignal,
): Promise<LocatedAgent[]> => {
  const addresses = typed.map(parseAddress);
  const mirror = await takeSnapshot(paths, { localOnly: false, hostsOnly: false, clock: systemClock, signal });
  const located = new Map<string, LocatedAgent>();
  for (const partial of addresses) {
    const { address, hostAgent, key, row } = agentIn(mirror, partial, 'look');
    const place = { hostAgent, key };
    located.set(address, { address, place, find: (now) => findAgain(paths, place, row.agent, now) });
  }
  return [...located.values()];
};

const findAgain = async (
  paths: Paths,
  place: AgentPlace,
  name: string,
  signal: AbortSignal,
): Promise<AgentPlace | null> => {
  const mirror = await takeSnapshot(paths, { localOnly: false, hostsOnly: false, clock: systemClock, signal });
  const { hostAgent } = place;
  // Nobody can say that it is gone but its own host.
  if (!mirror.momentOf(hostAgent, systemClock.monotonicMs())?.current) return place;
  for (const { row } of mirror.rowsOf(hostAgent)) if (row.agent === name) return { hostAgent, key: row.key };
  return null;
};
