/**
 * What every order to one agent has in common: the agent is resolved and named before anything is done, a row that is
 * not current is refused, the outcome is one line or one object, and its kind the exit code.
 */
import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import { orderExitCode } from '../../domain/order.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { OrderOutcome, OrderTarget } from '../../wire/gen/fleet/v1/orders.ts';
import type { GrpcChannel } from '../client/grpc-channel.ts';
import type { CommandContext } from '../command.ts';
import { jsonText } from '../render/json.ts';
import { type ChangeTarget, changeTarget } from './change-target.ts';
import { orderId } from './order-id.ts';
import { orderLine } from './order-line.ts';
import { nextStep, outcomeLine, outcomeObject } from './outcome-text.ts';
import { type PlacedOrder, placeOrder } from './place-order.ts';
import { shellWord } from './shell-word.ts';

/** The way there and back, and what a host may take beside the order's own time. */
const GRACE_MS = 8_000;

export interface OrderToRun<Q extends { id: string }> {
  method: PlacedOrder<Q>['method'];
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
  const id = orderId(flags.id as string | undefined);
  const agent = await changeTarget(paths, context.positionals[0] as string, signal);
  stderr.write(`${cleanText(agent.address)} · order ${id}\n`);
  const request = await order.request(id, agent.target);
  using line = await orderLine(paths, agent, signal);
  const deadlineMs = order.timeoutMs + GRACE_MS;
  try {
    const outcome = await place(line.channel, { method: order.method, request, deadlineMs }, context);
    return tellOutcome(context, { ...outcome, id, address: outcome.address || agent.address }, agent.typed);
  } catch (error) {
    throw line.asks === 'host-agent' && !agent.here ? withLeave(error, agent) : error;
  }
};

const place = async <Q extends { id: string }>(
  channel: GrpcChannel,
  order: PlacedOrder<Q>,
  { stderr, signal }: CommandContext,
): Promise<OrderOutcome> => {
  const { id } = order.request;
  try {
    return await placeOrder(channel, order, {
      signal,
      clock: systemClock,
      onLost: () => stderr.write(`the reply was lost; asking what became of order ${id}\n`),
    });
  } catch (error) {
    if (signal.aborted) stderr.write(`left; the order may go on: fleet order ${id}\n`);
    throw error;
  }
};

/** Data on stdout, what to do next on stderr. Returns the exit code. */
export const tellOutcome = (
  { flags, stdout, stderr }: Pick<CommandContext, 'flags' | 'stdout' | 'stderr'>,
  outcome: OrderOutcome,
  typed: string,
): number => {
  const isJson = flags.output === 'json';
  stdout.write(`${isJson ? jsonText(outcomeObject(outcome)) : outcomeLine(outcome)}\n`);
  const next = isJson ? null : nextStep(outcome, shellWord(typed));
  if (next !== null) stderr.write(`${next}\n`);
  return orderExitCode(outcome.outcome);
};

/** A controller lets a host's callers act on their own host only, until somebody allows more. */
const withLeave = (error: unknown, { callerId }: ChangeTarget): unknown => {
  if (!(error instanceof FleetError) || error.code !== 'PERMISSION_DENIED') return error;
  if (callerId === null || error.message.includes('fleet host allow')) return error;
  const command = `fleet host allow ${shellWord(callerId)} send`;
  return new FleetError(
    error.code,
    `${error.message}; where the controller runs, as its user, this allows it: ${command}`,
    {
      cause: error,
    },
  );
};
