/**
 * The agents that are named. Under an id that is named again, one that is gone since is what its order became then: the
 * same id has the same answer.
 */
import { createHash } from 'node:crypto';
import { encodePart, formatAddress, mayBeOn, parseAddress } from '../../domain/address.ts';
import { FleetError } from '../../domain/errors.ts';
import { type LifecycleVerb, orderExitCode } from '../../domain/order.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { ViewMirror } from '../client/view-mirror.ts';
import type { OrderPlace } from '../orders/change-target.ts';
import { checkOrderId } from '../orders/order-id.ts';
import { toldBefore } from '../orders/order-of-id.ts';
import type { Told } from './one-order.ts';
import { selectAgents } from './select-agents.ts';

export interface NamedAgents {
  agents: OrderPlace[];
  before: Told[];
}

/** Of one order among several that are given under one name. */
export const partId = (given: string, address: string): string =>
  checkOrderId(`${given}.${createHash('sha256').update(address).digest('hex').slice(0, 12)}`);

/** Throws as `selectAgents` does for a name that means none, and no order that was given before. */
export const namedAgents = async (
  paths: Paths,
  mirror: ViewMirror,
  named: readonly string[],
  order: { verb: LifecycleVerb; intent: 'change' | 'destroy'; given: string },
  signal: AbortSignal,
): Promise<NamedAgents> => {
  const agents = new Map<string, OrderPlace>();
  const before = new Map<string, Told>();
  for (const typed of named) {
    try {
      const [agent] = selectAgents(mirror, { named: [typed], hosts: [], roles: [] }, order.intent);
      if (agent !== undefined) agents.set(agent.address, agent);
    } catch (error) {
      if (!(error instanceof FleetError) || error.code !== 'NOT_FOUND') throw error;
      const ids = named.length === 1 ? [order.given] : idsOf(mirror, typed, order.given);
      const told = await firstTold(paths, ids, { verb: order.verb, typed }, signal);
      if (told === null) throw error;
      before.set(told.agent.address, told);
    }
  }
  return { agents: [...agents.values()], before: [...before.values()] };
};

/** Wherever it may have been; a bare name means this machine. */
const idsOf = (mirror: ViewMirror, typed: string, given: string): string[] => {
  const address = parseAddress(typed);
  const nowMono = systemClock.monotonicMs();
  return [...mirror.hostAgentIds()]
    .flatMap((id) => mirror.momentOf(id, nowMono)?.host ?? [])
    .filter((host) => (host.here || address.qualifiers.length > 0) && mayBeOn(address, host))
    .map(({ cell, host, user }) => partId(given, formatAddress({ cell, host, user, agent: address.agent })));
};

const firstTold = async (
  paths: Paths,
  ids: readonly string[],
  order: { verb: LifecycleVerb; typed: string },
  signal: AbortSignal,
): Promise<Told | null> => {
  for (const id of ids) {
    const outcome = await toldBefore(paths, { ...order, id }, signal);
    if (outcome === null) continue;
    const { address } = outcome;
    const typed = address.slice(encodePart(parseAddress(address).qualifiers[0] ?? '').length + 1);
    return { agent: { address, typed }, outcome, exitCode: orderExitCode(outcome.outcome) };
  }
  return null;
};
