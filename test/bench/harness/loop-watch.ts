/** The bench's side of `loop-preload.mjs`: between `begin` and `end` a daemon watches its own loop. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface LongestTurn {
  /** Work of the main thread itself, collection of garbage included. */
  cpuMs: number;
  /** With what the machine gave to others meanwhile. */
  wallMs: number;
  turns: number;
}

const ANSWER_TIMEOUT_MS = 5_000;

export class LoopWatch {
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  async begin(): Promise<void> {
    await this.#ask('watch');
  }

  async end(): Promise<LongestTurn> {
    return (await this.#ask('tell')) as LongestTurn;
  }

  /** What the daemon holds in its heap and in buffers, all garbage collected first. */
  async heldBytes(): Promise<number> {
    return ((await this.#ask('held')) as { heldBytes: number }).heldBytes;
  }

  async #ask(question: string): Promise<unknown> {
    const answer = once(this.#child, 'message', { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    this.#child.send(question);
    return (await answer)[0];
  }
}
