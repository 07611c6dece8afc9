import type { Store } from './store.ts';

const KEY = 'epoch';
const COUNTER_BITS = 32n;

/**
 * Numbers for streams that rise for ever, for every identity at once: the controller's run above, a counter below.
 * One durable write for each run of the controller. Runs are numbered by the wall clock in seconds, or one more
 * than the last run where that is higher, so a store restored from an old backup does not number twice.
 */
export class Epochs {
  #next: bigint;

  private constructor(run: bigint) {
    this.#next = run << COUNTER_BITS;
  }

  static async open(store: Store, nowMs: number): Promise<Epochs> {
    for (;;) {
      const entry = await store.get(KEY);
      const last = entry === null ? 0n : BigInt(Buffer.from(entry.value).toString('ascii'));
      const clock = BigInt(Math.max(0, Math.floor(nowMs / 1_000)));
      const run = clock > last ? clock : last + 1n;
      const value = Buffer.from(run.toString(), 'ascii');
      const expect = [{ key: KEY, revision: entry?.revision ?? 0n }];
      if ((await store.commit({ expect, put: [{ key: KEY, value }] })) !== null) return new Epochs(run);
    }
  }

  next(): bigint {
    this.#next += 1n;
    return this.#next;
  }
}
