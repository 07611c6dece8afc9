import type { Clock } from '../../src/runtime/clock.ts';

/**
 * How many lines strangers may cause: `take` is the number of lines kept back since the last one that was allowed,
 * or null when this one must be kept back too.
 */
export class LogBudget {
  readonly #clock: Clock;
  readonly #perWindow: number;
  readonly #windowMs: number;
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #used = 0;
  #keptBack = 0;

  constructor(clock: Clock, perWindow = 20, windowMs = 10_000) {
    this.#clock = clock;
    this.#perWindow = perWindow;
    this.#windowMs = windowMs;
  }

  take(): number | null {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#windowStartMs >= this.#windowMs) {
      this.#windowStartMs = nowMs;
      this.#used = 0;
    }
    if (this.#used >= this.#perWindow) {
      this.#keptBack++;
      return null;
    }
    this.#used++;
    const keptBack = this.#keptBack;
    this.#keptBack = 0;
    return keptBack;
  }
}
