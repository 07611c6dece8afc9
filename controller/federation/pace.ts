/** How fast a peer's frames are read: a whole picture at once, and no more than so much in the long run. */
import type { Clock } from '../../src/runtime/clock.ts';
import { sleep } from '../../src/runtime/sleep.ts';

export const PACE = { burstBytes: 8 * 1024 * 1024, bytesPerSecond: 4 * 1024 * 1024 };

export class Pace {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #options: typeof PACE;
  /** When all that was read would have come at the steady rate. */
  #paidMono = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'monotonicMs'>, options = PACE) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Until more may be read; null: at once. */
  take(bytes: number, signal: AbortSignal): Promise<void> | null {
    const { burstBytes, bytesPerSecond } = this.#options;
    const now = this.#clock.monotonicMs();
    this.#paidMono = Math.max(now, this.#paidMono) + (1_000 * bytes) / bytesPerSecond;
    const waitMs = this.#paidMono - now - (1_000 * burstBytes) / bytesPerSecond;
    return waitMs <= 0 ? null : sleep(waitMs, signal);
  }
}
