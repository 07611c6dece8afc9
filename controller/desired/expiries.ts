/**
 * When the time of an intent is over: by the wall clock, or by the one that cannot be set, whichever comes first. One that
 * seems to be given in the future cannot be dated any more, and is over.
 */
import type { Clock } from '../../src/runtime/clock.ts';
import type { IntentRecord } from '../store/records.ts';

export class Expiries {
  readonly #clock: Clock;
  /** Since boot, from the first look in this process on. */
  readonly #ends = new Map<string, { id: string; atBootMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isOver(hostAgent: string, { id, givenMs, expiresMs }: Pick<IntentRecord, 'id' | 'givenMs' | 'expiresMs'>): boolean {
    const nowMs = this.#clock.nowMs();
    const bootMs = this.#clock.bootMs();
    let end = this.#ends.get(hostAgent);
    if (end?.id !== id) {
      end = { id, atBootMs: bootMs + (nowMs < givenMs ? 0 : expiresMs - nowMs) };
      this.#ends.set(hostAgent, end);
    }
    return nowMs >= expiresMs || bootMs >= end.atBootMs;
  }

  forget(hostAgent: string): void {
    this.#ends.delete(hostAgent);
  }
}
