/**
 * A few keys of the list into one agent. Never: a key that answers a prompt which nobody named, or which is another one
 * by the time of the key.
 */
import { isAnswering } from '../../src/domain/key-names.ts';
import type { PressKeysRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import { OrderEnd } from './order-end.ts';
import type { OrderRun, VerbPorts } from './order-run.ts';
import { PaneApproach } from './pane-approach.ts';
import type { Look } from './screen-evidence.ts';

/** `keys` are tmux's names, from the list. */
export const pressKeys = async (
  ports: VerbPorts,
  request: PressKeysRequest,
  keys: readonly string[],
  run: OrderRun,
): Promise<OrderEnd> => {
  const at = PaneApproach.to(ports, request.target, run);
  at.refuseIfHeld();
  using _turn = await ports.locks.take(at.pane, run.signal, run.owner);
  at.refuseIfHeld();
  const { runtime } = await at.ready(run.signal);
  // Before anything is journalled as typed, too: most refusals are found here.
  refuse(await at.screen(runtime, run.signal), request, keys[0] as string);
  await run.typing();
  for (const [index, key] of keys.entries()) {
    try {
      refuse(await at.screen(at.runtime(), run.signal), request, key);
      if ((await at.press(key, run.signal)) === 'maybe') {
        return new OrderEnd('unverifiable', `tmux did not say whether it typed key ${index + 1}`);
      }
    } catch (error) {
      if (index === 0 || !(error instanceof OrderEnd)) throw error;
      return new OrderEnd('failed', `typed ${index} of ${keys.length} keys, then: ${error.outcome}: ${error.reason}`);
    }
  }
  return new OrderEnd('done');
};

const refuse = ({ reading }: Look, { ifPrompt, blind }: PressKeysRequest, key: string): void => {
  if (ifPrompt !== '') {
    if (reading?.promptId === ifPrompt) return;
    throw new OrderEnd(
      'prompt-changed',
      reading?.promptId ? 'another prompt is shown by now' : 'no prompt is shown now',
    );
  }
  if (blind || !isAnswering(key)) return;
  if (reading?.state === 'blocked') {
    throw new OrderEnd('blocked', `${key} would answer a prompt: name it (--if-prompt ID), or press it --blind`);
  }
};
