import { FleetError } from '../../src/domain/errors.ts';
import { callerNetwork, isLoopbackAddress } from '../../src/runtime/caller-network.ts';
import type { Clock } from '../../src/runtime/clock.ts';

const MAX_NETWORKS = 10_000;

/**
 * Failed attempts, counted for each network and for all together in a window. Honest hosts fail hardly ever, so
 * success is not slowed; a guesser of secrets is stopped long before 192 bits matter.
 */
export class FailureLimit {
  readonly #clock: Clock;
  readonly #options: { perNetwork: number; overall: number; windowMs: number };
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #overall = 0;
  readonly #failures = new Map<string, number>();

  constructor(clock: Clock, options = { perNetwork: 20, overall: 500, windowMs: 60_000 }) {
    this.#clock = clock;
    this.#options = options;
  }

  /**
   * RESOURCE_EXHAUSTED while the network of `peer` (address:port) failed too often; where all together did, while it failed at
   * all: whoever fails on purpose does not keep out those who have not.
   */
  check(peer: string): void {
    this.#turnWindow();
    const { perNetwork, overall } = this.#options;
    const bound = this.#overall >= overall ? 1 : isLocal(peer) ? Number.POSITIVE_INFINITY : perNetwork;
    if ((this.#failures.get(networkOf(peer)) ?? 0) < bound) return;
    throw new FleetError('RESOURCE_EXHAUSTED', 'too many failed attempts: wait a minute', { retryable: true });
  }

  failed(peer: string): void {
    this.#turnWindow();
    this.#overall++;
    const network = networkOf(peer);
    if (this.#failures.size < MAX_NETWORKS || this.#failures.has(network)) {
      this.#failures.set(network, (this.#failures.get(network) ?? 0) + 1);
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

/** Behind a tunnel are many hosts: one of them must not shut out the others. */
const isLocal = (peer: string): boolean => isLoopbackAddress(addressOf(peer));

const networkOf = (peer: string): string => callerNetwork(addressOf(peer));

const addressOf = (peer: string): string => peer.slice(0, peer.lastIndexOf(':'));
