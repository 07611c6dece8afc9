/** One agent told to start, stop, restart or reset, and what became of it: a failure is an outcome, too, and delays nobody. */
import { FleetError } from '../../domain/errors.ts';
import { type LifecycleVerb, nothingWords, orderExitCode } from '../../domain/order.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { OrderOutcome } from '../../wire/gen/fleet/v1/orders.ts';
import { controlAgent } from '../client/order-methods.ts';
import { EXIT, exitCodeOf } from '../exit-codes.ts';
import type { OrderPlace } from '../orders/change-target.ts';
import { orderLine } from '../orders/order-line.ts';
import { placeOrder } from '../orders/place-order.ts';
import { refusedOutcome } from '../orders/refused-outcome.ts';
import { fine } from '../render/duration.ts';

export interface Told {
  agent: Pick<OrderPlace, 'address' | 'typed'>;
  outcome: OrderOutcome;
  exitCode: number;
}

export interface OneOrder {
  id: string;
  verb: LifecycleVerb;
  agent: OrderPlace;
  force: boolean;
  /** Also a session that no roster names. */
  adopt: boolean;
  timeoutMs: number;
}

/** The way there and back, and what a host may take beside the order's own time. */
const GRACE_MS = 8_000;

/** Rejects only when the person left. */
export const giveOrder = async (
  paths: Paths,
  order: OneOrder,
  signal: AbortSignal,
  onLost: (why: string) => void,
): Promise<Told> => {
  const { id, verb, agent, force, adopt, timeoutMs } = order;
  const away = notCurrent(agent);
  if (away !== null) return { agent, outcome: refused(order, away), exitCode: EXIT.unreachable };
  const target = { hostAgent: agent.hostAgent, key: agent.key, paneId: '', panePid: 0 };
  const plain = { rosterDigest: '', migrate: false, purge: false };
  const request = { id, target, action: verb, force, adopt, timeoutMs, ...plain };
  try {
    using channel = await orderLine(paths, agent, signal);
    const nothing = nothingWords(verb);
    const placed = { method: controlAgent, request, deadlineMs: timeoutMs + GRACE_MS, nothing };
    const told = await placeOrder(channel, placed, { signal, clock: systemClock, onLost });
    const outcome = { ...told, id, verb, address: told.address || agent.address };
    return { agent, outcome, exitCode: orderExitCode(outcome.outcome) };
  } catch (error) {
    if (signal.aborted || !(error instanceof FleetError)) throw error;
    return { agent, outcome: refused(order, error.message), exitCode: exitCodeOf[error.code] };
  }
};

export const refused = ({ id, verb, agent }: OneOrder, reason: string): OrderOutcome =>
  refusedOutcome({ id, verb, address: agent.address }, reason);

/** A row as last seen says nothing of what runs now. */
export const notCurrent = ({ moment }: Pick<OrderPlace, 'moment'>): string | null => {
  if (moment.current) return null;
  const { state, reason } = moment.link;
  const link = state === 'connected' ? 'silent' : `${state}${reason === null ? '' : `, ${reason}`}`;
  return `its row is not current (${link}, last heard ${fine(moment.observedAgeSeconds)} ago): fleet doctor ${moment.host.id} says why`;
};
