import { keyNames as checkKeys } from '../../domain/key-names.ts';
import { pressKeys } from '../client/order-methods.ts';
import type { CommandContext } from '../command.ts';
import { runOrder } from '../orders/run-order.ts';
import { LONGEST_ORDER, spanMs } from '../orders/time-span.ts';
import { UsageError } from '../usage-error.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags } = context;
  const ifPrompt = (flags['if-prompt'] as string | undefined) ?? '';
  const blind = flags.blind === true;
  if (blind && ifPrompt !== '') throw new UsageError('--blind and --if-prompt contradict each other: give one of them');
  const timeoutMs = spanMs('timeout', flags.timeout as string, LONGEST_ORDER);
  const keys = positionals.slice(1);
  // What no host presses does not travel; the host's own list has the last word.
  checkKeys(keys);
  return runOrder(context, {
    method: pressKeys,
    verb: 'keys',
    timeoutMs,
    request: (id, target) => ({ id, target, keys, ifPrompt, blind, timeoutMs }),
  });
};
