/**
 * One agent's own pane as an order meets it: whether it is still the one that was meant, who else has it, what runs in
 * front of it, what it shows. Each refusal is an OrderEnd. Never: a key, unless all of that was asked just before.
 */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import { FleetError } from '../../src/domain/errors.ts';
import type { AnswerKeys } from '../../src/domain/prompt-choices.ts';
import { isAgentRuntime, runtimeSeen } from '../../src/domain/runtime-seen.ts';
import type { OrderTarget } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { PaneRef } from '../terminal/ports.ts';
import type { PaneLook, Typed } from '../tmux/typing.ts';
import { HeldBy, OrderEnd } from './order-end.ts';
import type { ApproachPorts, OrderRun } from './order-run.ts';
import type { Look } from './screen-evidence.ts';

export class PaneApproach {
  readonly row: AgentRow;
  readonly pane: PaneRef;
  readonly #ports: ApproachPorts;
  readonly #run: OrderRun;

  private constructor(ports: ApproachPorts, row: AgentRow, pane: PaneRef, run: OrderRun) {
    this.#ports = ports;
    this.#run = run;
    this.row = row;
    this.pane = pane;
  }

  /** Throws OrderEnd `gone` when the target is another one by now. */
  static to(ports: ApproachPorts, target: OrderTarget | undefined, run: OrderRun): PaneApproach {
    if (target === undefined) throw new OrderEnd('gone', 'it named no agent');
    const row = ports.panes.row(target.key);
    if (row === undefined || row.tmux === null) throw new OrderEnd('gone', 'that agent has no session here any more');
    const pane = ports.panes.pane(target.key);
    if (pane === undefined) throw new OrderEnd('refused', 'which of its panes is its own is not known');
    if (pane.paneId !== target.paneId || pane.panePid !== target.panePid) {
      throw new OrderEnd('gone', 'its pane is another one by now');
    }
    return new PaneApproach(ports, row, pane, run);
  }

  /** A known agent runtime, read from /proc just now. */
  runtime(): string {
    const tree = this.#tree();
    if (tree === undefined) throw new OrderEnd('gone', 'the process of its pane has ended');
    const seen = runtimeSeen(tree);
    if (isAgentRuntime(seen)) return seen.runtime as string;
    const there = seen.runtime === null ? seen.unknownBecause : `${seen.runtime} is in front`;
    throw new OrderEnd('not-a-runtime', `no known agent: ${there}`);
  }

  /** The runtime sleeps: it is not just reading what was typed. */
  isResting(): boolean {
    const tree = this.#tree();
    const pid = tree && runtimeSeen(tree).pid;
    return tree?.processes.find((process) => process.pid === pid)?.state === 'S';
  }

  /** Asked before the pane's lock is waited for, and with it: a takeover holds the lock as long as it lasts. */
  refuseIfHeld(): void {
    const writer = this.#ports.company.writer(this.pane.key);
    if (writer !== null) throw new HeldBy(writer, 'has taken it over');
  }

  /** Rejects with NOT_FOUND when the pane is gone. */
  async screen(runtime: string, signal: AbortSignal): Promise<Look> {
    const picture = await this.#ports.screens.read(this.pane, signal).catch((error: unknown) => {
      if (signal.aborted && !(error instanceof FleetError)) throw new FleetError('CANCELLED', 'the order was given up');
      throw error;
    });
    return { picture, reading: this.#ports.prompts.read(runtime, picture) };
  }

  answerKeys(runtime: string, { picture }: Look, choice: string): AnswerKeys | null {
    return this.#ports.prompts.answer(runtime, picture, choice);
  }

  /** Everything that must be so at the moment of a key, asked now. */
  async ready(signal: AbortSignal): Promise<{ look: PaneLook; runtime: string }> {
    const look = await this.#look(signal);
    return { look, runtime: this.runtime() };
  }

  async #look(signal: AbortSignal): Promise<PaneLook> {
    const look = await this.#ports.typing.look(this.pane, signal);
    if (look === null || look.panePid !== this.pane.panePid) throw new OrderEnd('gone', 'its pane has ended');
    if (look.dead) throw new OrderEnd('gone', 'the program in its pane has ended');
    // Whoever scrolls there reads: to end it would throw away their place.
    if (look.inMode) throw new OrderEnd('busy', 'somebody has its pane in copy mode (q leaves it)');
    if (look.inputOff) throw new OrderEnd('busy', 'the input of its pane is switched off (tmux select-pane -e)');
    if (look.synchronized) {
      throw new OrderEnd('refused', 'its pane types into its neighbours, too (tmux set -w synchronize-panes off)');
    }
    return look;
  }

  /** `no` is told as the reason why. */
  async paste(text: string, bracketed: boolean, signal: AbortSignal): Promise<'yes' | 'maybe'> {
    const { look } = await this.ready(signal);
    return this.#typed(await this.#ports.typing.paste(this.pane, look, text, { bracketed }, signal), signal);
  }

  /** Asks what must be asked, then presses; `no` is told as the reason why. */
  async press(key: string, signal: AbortSignal): Promise<'yes' | 'maybe'> {
    const { look } = await this.ready(signal);
    return this.#typed(await this.#ports.typing.press(this.pane, look, key, signal), signal);
  }

  async #typed(typed: Typed, signal: AbortSignal): Promise<'yes' | 'maybe'> {
    if (typed !== 'no') {
      this.#run.keyed();
      return typed;
    }
    await this.ready(signal);
    throw new OrderEnd('not-a-runtime', 'another program came to the front just before the key');
  }

  #tree() {
    const { panePid } = this.pane;
    return this.#ports.processes.trees([panePid]).get(panePid);
  }
}
