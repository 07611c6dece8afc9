/**
 * One choice of exactly the prompt that was shown: goes to it where it must be gone to, sees that it is selected, takes
 * it, and sees the prompt go. Never: a key while another prompt is shown.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { AnswerKeys } from '../../src/domain/prompt-choices.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { AnswerPromptRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import { OrderEnd } from './order-end.ts';
import type { OrderRun, VerbPorts } from './order-run.ts';
import { PaneApproach } from './pane-approach.ts';

const POLL_MS = 60;
/** A menu that has not moved by then does not. */
const MOVE_MS = 3_000;
/** A menu of more steps was misread. */
const MAX_STEPS = 40;

export const answerPrompt = async (
  ports: VerbPorts,
  request: AnswerPromptRequest,
  run: OrderRun,
): Promise<OrderEnd> => {
  const at = PaneApproach.to(ports, request.target, run);
  at.refuseIfHeld();
  using _turn = await ports.locks.take(at.pane, run.signal, run.owner);
  at.refuseIfHeld();
  const answer = new Answer(ports, at, request, run);
  await at.ready(run.signal);
  await answer.wanted();
  await run.typing();
  // Awaited: the turn ends with this block.
  return await answer.give();
};

class Answer {
  readonly #ports: VerbPorts;
  readonly #at: PaneApproach;
  readonly #request: AnswerPromptRequest;
  readonly #run: OrderRun;
  #pressed = 0;

  constructor(ports: VerbPorts, at: PaneApproach, request: AnswerPromptRequest, run: OrderRun) {
    this.#ports = ports;
    this.#at = at;
    this.#request = request;
    this.#run = run;
  }

  /** The keys from where the prompt stands now. Throws OrderEnd when it is another one, or has no such choice. */
  async wanted(): Promise<AnswerKeys> {
    const { promptId, choice } = this.#request;
    const runtime = this.#at.runtime();
    const screen = await this.#at.screen(runtime, this.#run.signal);
    const shown = screen.reading?.promptId ?? '';
    if (promptId === '' || shown !== promptId) {
      throw new OrderEnd('prompt-changed', shown === '' ? 'no prompt is shown now' : 'another prompt is shown by now');
    }
    const keys = this.#at.answerKeys(runtime, screen, choice);
    if (keys === null) throw new OrderEnd('refused', 'the prompt has no such choice that could be taken by keys');
    return keys;
  }

  async give(): Promise<OrderEnd> {
    try {
      for (let step = 0; step < MAX_STEPS; step += 1) {
        const { moves, confirm } = await this.wanted();
        const move = moves[0];
        if (move === undefined) return await this.#confirm(confirm);
        await this.#press(move);
        await this.#whenMoved(moves.length);
      }
      throw new OrderEnd('failed', 'the selection did not come to the choice; nothing was confirmed');
    } catch (error) {
      if (this.#pressed === 0 || !(error instanceof OrderEnd) || error.outcome === 'unverifiable') throw error;
      return new OrderEnd('failed', `keys were typed, but then: ${error.outcome}: ${error.reason}`);
    }
  }

  async #confirm(keys: readonly string[]): Promise<OrderEnd> {
    for (const [index, key] of keys.entries()) {
      // Of several keys the first may take the prompt away already.
      if (index > 0 && !(await this.#isShown())) return new OrderEnd('done');
      await this.#press(key);
    }
    await this.#run.submitted();
    const { clock } = this.#ports;
    do {
      await sleep(POLL_MS, this.#run.signal);
      if (!(await this.#isShown())) return new OrderEnd('done');
    } while (clock.monotonicMs() < this.#run.deadlineMono && !this.#run.signal.aborted);
    return new OrderEnd('unverifiable', 'the key was typed, but the prompt is still shown');
  }

  async #press(key: string): Promise<void> {
    const typed = await this.#at.press(key, this.#run.signal);
    this.#pressed += 1;
    if (typed === 'maybe') throw new OrderEnd('unverifiable', 'tmux did not say whether it typed the key');
  }

  async #whenMoved(stepsBefore: number): Promise<void> {
    const { clock } = this.#ports;
    const untilMono = clock.monotonicMs() + MOVE_MS;
    while (clock.monotonicMs() < untilMono && !this.#run.signal.aborted) {
      await sleep(POLL_MS, this.#run.signal);
      if ((await this.wanted()).moves.length !== stepsBefore) return;
    }
    throw new OrderEnd('failed', 'the selection did not move; nothing was confirmed');
  }

  /** Not any more where the agent or its pane ended; still where it cannot be told. */
  async #isShown(): Promise<boolean> {
    try {
      const screen = await this.#at.screen(this.#at.runtime(), this.#run.signal);
      return screen.reading?.promptId === this.#request.promptId;
    } catch (error) {
      if (error instanceof OrderEnd) return false;
      if (!(error instanceof FleetError)) throw error;
      return error.code !== 'NOT_FOUND';
    }
  }
}
