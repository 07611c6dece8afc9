/**
 * Keeps a peer that fails from being asked over and over.
 *
 *   closed ──failures in a row──▶ open ──its time──▶ half-open ──success──▶ closed
 *                                  ▲                     └────failure────▶ open, for longer
 */
import { backoffDelayMs } from '../../src/runtime/backoff.ts';
import type { Clock } from '../../src/runtime/clock.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  /** Failures in a row after which it opens. */
  failures: number;
  /** Between tries, doubling from the first; each between half of it and all of it. */
  firstMs: number;
  capMs: number;
}

export const BREAKER: BreakerOptions = { failures: 3, firstMs: 500, capMs: 60_000 };

export class Breaker {
  readonly #clock: Clock;
  readonly #options: BreakerOptions;
  #failed = 0;
  #nextTryMono: number | null = null;
  #isTrying = false;

  constructor(clock: Clock, options: BreakerOptions = BREAKER) {
    this.#clock = clock;
    this.#options = options;
  }

  get state(): BreakerState {
    if (this.#failed < this.#options.failures) return 'closed';
    return this.#isTrying ? 'half-open' : 'open';
  }

  /** Until the next try; 0: now. */
  get waitMs(): number {
    return this.#nextTryMono === null ? 0 : Math.max(0, this.#nextTryMono - this.#clock.monotonicMs());
  }

  begin(): void {
    this.#isTrying = true;
  }

  succeeded(): void {
    this.#failed = 0;
    this.#nextTryMono = null;
  }

  failed(): void {
    const { firstMs, capMs } = this.#options;
    // Half of it at least: a jitter down to nothing would be no pause at all.
    const half = { firstMs: firstMs / 2, capMs: capMs / 2 };
    const least = Math.min(half.capMs, half.firstMs * 2 ** Math.min(this.#failed, 30));
    this.#nextTryMono = this.#clock.monotonicMs() + least + backoffDelayMs(this.#failed, half);
    this.#failed++;
    this.#isTrying = false;
  }

  /** Whatever was waited for is not needed any more: the next try is now. */
  hurry(): void {
    this.#nextTryMono = null;
  }
}
