import { shellWord } from '../../runtime/quote.ts';
import { answerPrompt } from '../client/order-methods.ts';
import type { CommandContext } from '../command.ts';
import { runOrder } from '../orders/run-order.ts';
import { LONGEST_ORDER, spanMs } from '../orders/time-span.ts';
import { UsageError } from '../usage-error.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags } = context;
  const [agent, choice] = positionals as [string, string];
  const promptId = flags.prompt as string | undefined;
  if (promptId === undefined) {
    throw new UsageError(
      `fleet answer needs --prompt ID, so that only what you saw is answered: fleet explain ${shellWord(agent)} shows it`,
    );
  }
  const timeoutMs = spanMs('timeout', flags.timeout as string, LONGEST_ORDER);
  return runOrder(context, {
    method: answerPrompt,
    verb: 'answer',
    timeoutMs,
    request: (id, target) => ({ id, target, promptId, choice, timeoutMs }),
  });
};
