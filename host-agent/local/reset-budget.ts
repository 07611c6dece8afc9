/**
 * How many calls through the uplink may yet be given up: node's HTTP/2 servers drop a connection after a burst of 1,000
 * resets at more than 33 a second (node 24), and with it this host's line. Never waits.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';

/** Well below what the peer bears: what else runs on the line is given up, too. */
const BURST = 600;
const PER_SECOND = 16;

export class ResetBudget {
  readonly #clock: Clock;
  #left = BURST;
  #refilledMono: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sets one reset aside for a call. RESOURCE_EXHAUSTED when there is none; dispose it when the call was not given up. */
  reserve(): Disposable {
    const now = this.#clock.monotonicMs();
    const gained = ((now - (this.#refilledMono ?? now)) / 1_000) * PER_SECOND;
    this.#left = Math.min(BURST, this.#left + gained);
    this.#refilledMono = now;
    if (this.#left < 1) {
      throw new FleetError(
        'RESOURCE_EXHAUSTED',
        'callers of this machine gave up too many calls: try again in a second',
      );
    }
    this.#left -= 1;
    return {
      [Symbol.dispose]: () => {
        this.#left += 1;
      },
    };
  }
}
