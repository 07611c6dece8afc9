/**
 * What every order to one agent has in common: the agent is resolved and named before anything is done, a row that is
 * not current is refused, the outcome is one line or one object, and its kind the exit code.
 */
import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import { type OrderVerb, orderExitCode } from '../../domain/order.ts';
import { systemClock } from '../../runtime/clock.ts';
import { shellWord } from '../../runtime/quote.ts';
import type { OrderOutcome, OrderTarget } from '../../wire/gen/fleet/v1/orders.ts';
import type { GrpcChannel } from '../client/grpc-channel.ts';
import type { CommandContext } from '../command.ts';
import { jsonText } from '../render/json.ts';
import { type ChangeTarget, changeTarget } from './change-target.ts';
import { orderId } from './order-id.ts';
import { orderLine } from './order-line.ts';
import { toldBefore } from './order-of-id.ts';
import { nextStep, outcomeLine, outcomeObject } from './outcome-text.ts';
import { type PlacedOrder, placeOrder } from './place-order.ts';
import { fleetWords } from './shell-word.ts';

/** The way there and back, and what a host may take beside the order's own time. */
const GRACE_MS = 8_000;

export interface OrderToRun<Q extends { id: string }> {
  method: PlacedOrder<Q>['method'];
  verb: OrderVerb;
  /** Of the whole order, at the host. */
  timeoutMs: number;
  /** Made once the agent is known. */
  request(id: string, target: OrderTarget): Q | Promise<Q>;
}

export const runOrder = async <Q extends { id: string }>(
  context: CommandContext,
  order: OrderToRun<Q>,
): Promise<number> => {
  const { paths, flags, stderr, signal } = context;
  const given = flags.id as string | undefined;
  const id = orderId(given);
  const typed = context.positionals[0] as string;
  const agent = await changeTarget(paths, typed, signal).catch(async (error: unknown) => {
    const before =
      given !== undefined && isGone(error) ? await toldBefore(paths, { ...order, id, typed }, signal) : null;
    if (before === null) throw error;
    return before;
  });
  if (!isTarget(agent)) {
    stderr.write(`${cleanText(agent.address)} · order ${id}\n`);
    return tellOutcome(context, agent, typed);
  }
  stderr.write(`${cleanText(agent.address)} · order ${id}\n`);
  const request = await order.request(id, agent.target);
  using channel = await orderLine(paths, agent, signal);
  const deadlineMs = order.timeoutMs + GRACE_MS;
  const outcome = await place(channel, { method: order.method, request, deadlineMs }, context);
  return tellOutcome(context, { ...outcome, id, address: outcome.address || agent.address }, agent.typed);
};

/** It cannot be typed into any more; what was typed before can still be told. */
const isGone = (error: unknown): boolean =>
  error instanceof FleetError && (error.code === 'NOT_FOUND' || error.code === 'FAILED_PRECONDITION');

const isTarget = (agent: ChangeTarget | OrderOutcome): agent is ChangeTarget => 'target' in agent;

const place = async <Q extends { id: string }>(
  channel: GrpcChannel,
  order: PlacedOrder<Q>,
  { paths, stderr, signal }: CommandContext,
): Promise<OrderOutcome> => {
  const { id } = order.request;
  try {
    return await placeOrder(channel, order, {
      signal,
      clock: systemClock,
      onLost: (why) => stderr.write(`${cleanText(`${why}; asking what became of order ${id}`)}\n`),
    });
  } catch (error) {
    if (signal.aborted) stderr.write(`left; the order may go on: ${fleetWords(paths)} order ${id}\n`);
    throw error;
  }
};

/** Data on stdout, what to do next on stderr. Returns the exit code. */
export const tellOutcome = (
  { paths, flags, stdout, stderr }: CommandContext,
  outcome: OrderOutcome,
  typed: string,
): number => {
  const isJson = flags.output === 'json';
  stdout.write(`${isJson ? jsonText(outcomeObject(outcome)) : outcomeLine(outcome)}\n`);
  const next = isJson ? null : nextStep(outcome, fleetWords(paths), shellWord(typed));
  if (next !== null) stderr.write(`${next}\n`);
  return orderExitCode(outcome.outcome);
};
