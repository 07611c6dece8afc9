import { sendText } from '../client/order-methods.ts';
import type { CommandContext } from '../command.ts';
import { messageText } from '../orders/message-text.ts';
import { runOrder } from '../orders/run-order.ts';
import { senderOf } from '../orders/sender.ts';
import { LONGEST_ORDER, LONGEST_WAIT, spanMs } from '../orders/time-span.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, paths, stderr, signal } = context;
  const ownMs = spanMs('timeout', flags.timeout as string, LONGEST_ORDER);
  const wait = flags['wait-idle'] as string | undefined;
  const waitIdleMs = wait === undefined ? 0 : spanMs('wait-idle', wait, LONGEST_WAIT);
  const text = await messageText(
    positionals.slice(1),
    () => context.stdin,
    (words) => stderr.write(`${words}\n`),
  );
  const noLabel = flags['no-label'] === true;
  const timeoutMs = ownMs + waitIdleMs;
  return runOrder(context, {
    method: sendText,
    verb: 'send',
    timeoutMs,
    request: async (id, target) => ({
      id,
      target,
      ...(noLabel ? {} : { sender: await senderOf(paths, signal) }),
      text,
      verify: flags['no-verify'] !== true,
      timeoutMs,
      waitIdleMs,
      noLabel,
    }),
  });
};
