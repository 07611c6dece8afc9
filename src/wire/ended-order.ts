import { FleetError } from '../domain/errors.ts';
import { ORDER_ID } from '../domain/order.ts';
import type { OrderEnded } from './gen/fleet/v1/host_agent.ts';

/** Of a closed set; one of a newer version passes. */
const WORD = /^[a-z][a-z-]{0,31}$/;
const MAX_AGENT_CHARACTERS = 128;

/** A host's own word about an order of its user; throws INVALID_ARGUMENT for what could be a text of anything. */
export const endedOrderFromWire = (order: OrderEnded): OrderEnded => {
  const { id, agent, verb, outcome } = order;
  const isOrder = ORDER_ID.test(id) && agent.length <= MAX_AGENT_CHARACTERS && WORD.test(verb) && WORD.test(outcome);
  if (!isOrder) throw new FleetError('INVALID_ARGUMENT', 'an order that ended has an id, a verb and an outcome');
  return order;
};
