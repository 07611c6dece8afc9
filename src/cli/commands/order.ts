import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { OrderOutcome } from '../../wire/gen/fleet/v1/orders.ts';
import { askHostAgent } from '../ask.ts';
import { getOrder } from '../client/order-methods.ts';
import type { CommandContext } from '../command.ts';
import { checkOrderId } from '../orders/order-id.ts';
import { controllerOf } from '../orders/order-line.ts';
import { tellOutcome } from '../orders/run-order.ts';

const DEADLINE_MS = 10_000;

export const run = async (context: CommandContext): Promise<number> => {
  const id = checkOrderId(context.positionals[0] as string);
  const outcome = await recordOf(context.paths, id, context.signal);
  if (outcome.address !== '') context.stderr.write(`${cleanText(whoseWords(outcome))}\n`);
  return tellOutcome(context, { ...outcome, repeated: false }, withoutCell(outcome.address));
};

/** The host-agent knows its own orders and asks its controller for others; a controller here knows what it was given. */
const recordOf = async (paths: Paths, id: string, signal: AbortSignal): Promise<OrderOutcome> => {
  const call = { deadlineMs: DEADLINE_MS, signal };
  try {
    return await askHostAgent(paths, getOrder, { id }, call);
  } catch (error) {
    if (!(error instanceof FleetError) || signal.aborted) throw error;
    using controller = await controllerOf(paths, null, signal);
    if (controller === null) throw error;
    return await controller.unary(getOrder, { id }, call);
  }
};

const whoseWords = ({ address, verb, actor }: OrderOutcome): string =>
  `${address} · ${verb}${actor === '' ? '' : ` by ${actor}`}`;

const withoutCell = (address: string): string => address.split('/').slice(1).join('/');
