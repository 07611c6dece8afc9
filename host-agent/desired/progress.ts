/** How far an order of several steps came: what was done stands in its outcome, however it ends. */
import { FleetError } from '../../src/domain/errors.ts';
import { orderEffect } from '../../src/domain/order.ts';
import { OrderEnd } from '../command/order-end.ts';
import type { OrderRun } from '../command/order-run.ts';

export class Progress {
  readonly #run: OrderRun;
  readonly #done: string[] = [];

  constructor(run: OrderRun) {
    this.#run = run;
  }

  /** Empty words are no step worth a word. */
  did(words: string): void {
    if (words !== '') this.#done.push(words);
  }

  /** `done`, with what was done and what is to be said beside it. */
  end(notes: readonly string[], unchanged: string): OrderEnd {
    const done = this.#done.length === 0 ? unchanged : this.#done.join(', ');
    return new OrderEnd('done', [done, ...notes].filter((words) => words !== '').join('; '));
  }

  /** An end of its own, after what was done before it. What refused after a first change has failed. */
  but({ outcome, reason }: OrderEnd): OrderEnd {
    if (this.#done.length === 0) return new OrderEnd(outcome, reason);
    const honest = orderEffect(outcome) === 'nothing' ? 'failed' : outcome;
    return new OrderEnd(honest, `${this.#done.join(', ')}; but then: ${reason}`);
  }

  /** Runs the steps that follow the first change; whatever they throw becomes an end that says how far it came. */
  async through(steps: () => Promise<OrderEnd>): Promise<OrderEnd> {
    try {
      return await steps();
    } catch (error) {
      if (error instanceof OrderEnd) return this.but(error);
      if (!(error instanceof FleetError)) return this.but(fileEnd(error));
      const isKnown = error.code === 'FAILED_PRECONDITION';
      return this.but(new OrderEnd(isKnown ? 'failed' : 'unknown', error.message));
    }
  }

  /** Between two steps. */
  orLate(): void {
    if (this.#run.signal.aborted) throw new OrderEnd('failed', 'its time was over');
  }
}

/** Rethrows what is no error of a file. */
const fileEnd = (error: unknown): OrderEnd => {
  const { code, path } = error as NodeJS.ErrnoException;
  if (!(error instanceof Error) || typeof code !== 'string') throw error;
  return new OrderEnd('failed', `${path ?? 'a file'} could not be written (${code})`);
};
