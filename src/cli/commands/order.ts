import { cleanText } from '../../domain/clean-text.ts';
import type { OrderOutcome } from '../../wire/gen/fleet/v1/orders.ts';
import type { CommandContext } from '../command.ts';
import { checkOrderId } from '../orders/order-id.ts';
import { orderOfId } from '../orders/order-of-id.ts';
import { tellOutcome } from '../orders/run-order.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const id = checkOrderId(context.positionals[0] as string);
  const outcome = await orderOfId(context.paths, id, context.signal);
  if (outcome.address !== '') context.stderr.write(`${cleanText(whoseWords(outcome))}\n`);
  return tellOutcome(context, { ...outcome, repeated: false }, withoutCell(outcome.address));
};

const whoseWords = ({ address, verb, actor }: OrderOutcome): string =>
  `${address} · ${verb}${actor === '' ? '' : ` by ${actor}`}`;

const withoutCell = (address: string): string => address.split('/').slice(1).join('/');
