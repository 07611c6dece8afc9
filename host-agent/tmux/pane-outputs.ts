/** The control clients with output on: one for each session of which somebody watches a pane, none for the others. */
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Questions } from './questions.ts';
import { SessionOutput } from './session-output.ts';

export interface PaneOutputsOptions {
  tmuxPath: string;
  uid: number;
  clock: Clock;
  log: Logger;
  questions: Questions;
  /** See SessionOutputOptions. */
  polled: (socket: string) => string | null;
  settleMs?: number;
  /** Until a client is tried again that was refused or ended. */
  retryMs?: number;
}

export interface OutputWatch extends Disposable {
  output: SessionOutput;
}

interface Held {
  output: SessionOutput;
  watchers: number;
  stop: AbortController;
}

export class PaneOutputs {
  readonly #options: PaneOutputsOptions;
  readonly #held = new Map<string, Held>();
  readonly #leaving = new Set<Promise<void>>();

  constructor(options: PaneOutputsOptions) {
    this.#options = options;
  }

  /** Joins the session in the background, until the last watch of it is disposed. */
  watch(socket: string, sessionId: string): OutputWatch {
    const key = `${sessionId} ${socket}`;
    const held = this.#held.get(key) ?? this.#begin(key, socket, sessionId);
    held.watchers += 1;
    let disposed = false;
    return {
      output: held.output,
      [Symbol.dispose]: () => {
        if (disposed) return;
        disposed = true;
        held.watchers -= 1;
        if (held.watchers > 0) return;
        this.#held.delete(key);
        held.stop.abort();
      },
    };
  }

  /** Resolves when no client of ours is left; call after all watches were disposed. */
  async stopped(): Promise<void> {
    await Promise.all(this.#leaving);
  }

  #begin(key: string, socket: string, sessionId: string): Held {
    const { tmuxPath, uid, clock, log, questions, polled, settleMs = 500, retryMs = 2_000 } = this.#options;
    const output = new SessionOutput({
      tmuxPath,
      uid,
      socket,
      sessionId,
      clock,
      log,
      questions,
      polled: () => polled(socket),
      settleMs,
      retryMs,
    });
    const held = { output, watchers: 0, stop: new AbortController() };
    this.#held.set(key, held);
    const done = output.run(held.stop.signal).finally(() => this.#leaving.delete(done));
    this.#leaving.add(done);
    return held;
  }
}
