/** Who a message is from, as this machine's host-agent can tell: the agent in whose pane this process runs, or a person. */

import { UNPROVEN_SESSION } from '../../domain/sender.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { OrderSender } from '../../wire/gen/fleet/v1/orders.ts';
import { askHostAgent } from '../ask.ts';
import { whoAmI } from '../client/methods.ts';

const DEADLINE_MS = 5_000;

/** A host-agent that cannot tell proves nothing. Throws UNAVAILABLE where none answers. */
export const senderOf = async (paths: Paths, signal: AbortSignal): Promise<OrderSender> => {
  const answer = await askHostAgent(paths, whoAmI, { pid: process.pid }, { deadlineMs: DEADLINE_MS, signal });
  return { host: answer.host, session: answer.session || UNPROVEN_SESSION };
};
