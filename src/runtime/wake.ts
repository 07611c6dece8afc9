import { sleep } from './sleep.ts';

/** Many pokes, one waking: a poke while nobody waits is kept for the next wait. */
export class Wake {
  #poked = false;
  #waiting: (() => void) | null = null;

  poke(): void {
    this.#poked = true;
    this.#waiting?.();
  }

  /** Resolves on a poke (true), after `ms` or at the signal (false). One waiter at a time. */
  async wait(ms: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#poked && !signal.aborted) {
      const stop = new AbortController();
      this.#waiting = () => stop.abort();
      await sleep(ms, AbortSignal.any([signal, stop.signal]));
      this.#waiting = null;
    }
    const wasPoked = this.#poked;
    this.#poked = false;
    return wasPoked;
  }
}
