/**
 * Keeps a peer that fails from being asked over and over. A success that a failure follows at once was none.
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

const BREAKER: BreakerOptions = { failures: 3, firstMs: 500, capMs: 60_000 };

/** How long what began well must have gone on to have been a success. */
const PROVEN_MS = 1_000;

export class Breaker {
  readonly #clock: Clock;
  readonly #options: BreakerOptions;
  #failed = 0;
  /** Failures before the success that is not proven yet. */
  #failedBefore = 0;
  #succeededMono: number | null = null;
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

  /** What succeeded last goes on for long enough, and did not fail since. */
  get isProven(): boolean {
    return this.#succeededMono !== null && this.#clock.monotonicMs() - this.#succeededMono >= PROVEN_MS;
  }

  begin(): void {
    this.#isTrying = true;
  }

  succeeded(): void {
    this.#failedBefore = this.#failed;
    this.#failed = 0;
    this.#succeededMono = this.#clock.monotonicMs();
    this.#nextTryMono = null;
  }

  failed(): void {
    const { firstMs, capMs } = this.#options;
    if (this.#succeededMono !== null && !this.isProven) this.#failed = this.#failedBefore;
    this.#succeededMono = null;
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
