/** What a PutIntent may ask for: bounded, every step for the one host-agent, and nothing that types into an agent. */
import { FleetError } from '../../src/domain/errors.ts';
import { isDesiredVerb, isLifecycleVerb } from '../../src/domain/order.ts';
import type { IntentStep, PutIntentRequest } from '../../src/wire/gen/fleet/v1/intent.ts';
import type { ControlAgentRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { PutRosterRequest } from '../../src/wire/gen/fleet/v1/roster.ts';
import { requireOrderId } from '../dispatch/order-index.ts';

const MAX_INTENT_BYTES = 512 * 1024;
const MAX_INTENT_STEPS = 1_000;
const MAX_INTENT_MS = 7 * 24 * 3_600_000;
const DEFAULT_INTENT_MS = 24 * 3_600_000;

export type IntentOrder =
  | { call: 'putRoster'; request: PutRosterRequest }
  | { call: 'controlAgent'; request: ControlAgentRequest };

/** Its orders, and for how long they stand. Throws INVALID_ARGUMENT; never with words of a roster. */
export const checkIntent = (
  { id, hostAgent, expiresMs, steps }: PutIntentRequest,
  bytes: number,
): { orders: IntentOrder[]; lastsMs: number } => {
  requireOrderId(id);
  if (bytes > MAX_INTENT_BYTES) throw wrong(`an intent of ${bytes} bytes; at most ${MAX_INTENT_BYTES}`);
  if (steps.length > MAX_INTENT_STEPS) throw wrong(`an intent of ${steps.length} steps; at most ${MAX_INTENT_STEPS}`);
  if (!(expiresMs >= 0 && expiresMs <= MAX_INTENT_MS)) throw wrong('an intent stands for at most 7 days');
  const orders = steps.map((step, index) => orderOf(step, hostAgent, `step ${index + 1}`));
  const ids = new Set(orders.map(({ request }) => request.id));
  if (ids.size < orders.length) throw wrong('two steps of the intent have one id');
  return { orders, lastsMs: expiresMs || DEFAULT_INTENT_MS };
};

/** Of a step that was checked. */
export const orderOfStep = ({ putRoster, controlAgent }: IntentStep): IntentOrder | null => {
  if (putRoster !== undefined) return { call: 'putRoster', request: putRoster };
  return controlAgent === undefined ? null : { call: 'controlAgent', request: controlAgent };
};

const orderOf = (step: IntentStep, hostAgent: string, which: string): IntentOrder => {
  const order = orderOfStep(step);
  if (order === null) throw wrong(`${which} is no order that this version knows`);
  requireOrderId(order.request.id);
  const target = order.call === 'putRoster' ? order.request.hostAgent : order.request.target?.hostAgent;
  if (target !== hostAgent) throw wrong(`${which} is not for ${hostAgent}`);
  if (order.call === 'controlAgent') checkControl(order.request, which);
  return order;
};

/** Whoever resets an agent types into what it shows by then, unseen. */
const checkControl = ({ action, target }: ControlAgentRequest, which: string): void => {
  if (!target?.key) throw wrong(`${which} names no agent`);
  if (isDesiredVerb(action) || (isLifecycleVerb(action) && action !== 'reset')) return;
  throw wrong(`${which} is ${JSON.stringify(action.slice(0, 32))}: start, stop, restart, deploy and remove can wait`);
};

const wrong = (words: string): FleetError => new FleetError('INVALID_ARGUMENT', words);
