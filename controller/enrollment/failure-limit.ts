import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';

const MAX_ADDRESSES = 10_000;

/**
 * Failed attempts, counted for each address and for all together in a window. Honest hosts fail hardly ever, so
 * success is not slowed; a guesser of secrets is stopped long before 192 bits matter.
 */
export class FailureLimit {
  readonly #clock: Clock;
  readonly #options: { perAddress: number; overall: number; windowMs: number };
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #overall = 0;
  readonly #failures = new Map<string, number>();

  constructor(clock: Clock, options = { perAddress: 20, overall: 500, windowMs: 60_000 }) {
    this.#clock = clock;
    this.#options = options;
  }

  /** RESOURCE_EXHAUSTED while `peer` (address:port), or everybody together, failed too often. */
  check(peer: string): void {
    this.#turnWindow();
    const { perAddress, overall } = this.#options;
    const own = isLoopback(peer) ? 0 : (this.#failures.get(addressOf(peer)) ?? 0);
    if (this.#overall < overall && own < perAddress) return;
    throw new FleetError('RESOURCE_EXHAUSTED', 'too many failed attempts: wait a minute', { retryable: true });
  }

  failed(peer: string): void {
    this.#turnWindow();
    this.#overall++;
    const address = addressOf(peer);
    if (this.#failures.size < MAX_ADDRESSES || this.#failures.has(address)) {
      this.#failures.set(address, (this.#failures.get(address) ?? 0) + 1);
    }
  }

  #turnWindow(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#windowStartMs < this.#options.windowMs) return;
    this.#windowStartMs = nowMs;
    this.#overall = 0;
    this.#failures.clear();
  }
}

/** Behind it are all hosts that come through a tunnel: one of them must not shut out the others. */
const isLoopback = (peer: string): boolean => /^(::ffff:)?127\.|^::1:/.test(peer);

const addressOf = (peer: string): string => peer.slice(0, peer.lastIndexOf(':'));
