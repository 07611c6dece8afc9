/** An agent that is named, with the roster that names it. */
import { parseAddress } from '../../domain/address.ts';
import { FleetError } from '../../domain/errors.ts';
import type { RosterAgent } from '../../domain/roster.ts';
import { systemClock } from '../../runtime/clock.ts';
import { takeSnapshot } from '../client/snapshot.ts';
import type { CommandContext } from '../command.ts';
import { type AgentTarget, agentIn } from '../orders/change-target.ts';
import { entryOf, type InHand, takeInHand } from './in-hand.ts';

export interface AgentInHand extends InHand {
  agent: AgentTarget;
  entry: { index: number; agent: RosterAgent };
}

/** Throws FAILED_PRECONDITION for one that no roster names. */
export const takeAgentInHand = async (
  context: CommandContext,
  typed: string,
  intent: 'change' | 'destroy',
): Promise<AgentInHand> => {
  const { paths, signal } = context;
  const mirror = await takeSnapshot(paths, { localOnly: false, hostsOnly: false, clock: systemClock, signal });
  const agent = agentIn(mirror, parseAddress(typed), intent);
  const hand = await takeInHand(context, mirror, systemClock.monotonicMs(), agent.hostAgent);
  const entry = entryOf(hand, agent.row.agent);
  if (entry !== null) return { ...hand, agent, entry };
  throw new FleetError(
    'FAILED_PRECONDITION',
    `${agent.address} is in no roster of its host: ${hand.held.path} does not name it`,
  );
};
