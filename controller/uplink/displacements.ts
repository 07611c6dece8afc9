import type { Clock } from '../../src/runtime/clock.ts';

const WINDOW_MS = 60_000;
const TOLERATED = 2;

/**
 * Tells a restarted host-agent (it displaces its old stream once) from two that hold the same identity
 * (they displace each other again and again).
 */
export class Displacements {
  readonly #clock: Clock;
  readonly #byId = new Map<string, number[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes that a stream of another inventory would displace a live one; true: this is a duplicate, refuse it. */
  note(id: string): boolean {
    const now = this.#clock.monotonicMs();
    const lately = (this.#byId.get(id) ?? []).filter((at) => now - at < WINDOW_MS);
    lately.push(now);
    this.#byId.set(id, lately.slice(-8));
    return lately.length > TOLERATED;
  }

  /** Identities without a displacement for a whole window; each is told once. */
  settled(): string[] {
    const now = this.#clock.monotonicMs();
    const ids: string[] = [];
    for (const [id, moments] of this.#byId) {
      if (now - (moments.at(-1) ?? 0) < WINDOW_MS) continue;
      this.#byId.delete(id);
      ids.push(id);
    }
    return ids;
  }
}
