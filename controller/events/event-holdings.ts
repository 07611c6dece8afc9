/**
 * What the events of each host-agent hold of the log, and which of them are its oldest. Whoever holds most gives up first: a
 * host that makes many pushes out its own, and nobody else's.
 */

/** Ascending by revision; those before `head` have left. */
interface Holding {
  revisions: number[];
  sizes: number[];
  head: number;
  bytes: number;
}

export interface Leaving {
  owner: string;
  revision: number;
}

/** Places that have left are cleared away in one go. */
const CLEAR_AT = 1_024;

export class EventHoldings {
  readonly #held = new Map<string, Holding>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Its newest. */
  add(owner: string, revision: number, bytes: number): void {
    const holding = this.#held.get(owner) ?? { revisions: [], sizes: [], head: 0, bytes: 0 };
    this.#held.set(owner, holding);
    holding.revisions.push(revision);
    holding.sizes.push(bytes);
    holding.bytes += bytes;
    this.#bytes += bytes;
  }

  /** It has left the log; of one that is not the owner's oldest nothing is known here. */
  remove({ owner, revision }: Leaving): void {
    const holding = this.#held.get(owner);
    if (holding === undefined || holding.revisions[holding.head] !== revision) return;
    const bytes = holding.sizes[holding.head] ?? 0;
    holding.bytes -= bytes;
    this.#bytes -= bytes;
    holding.head++;
    if (holding.head === holding.revisions.length) this.#held.delete(owner);
    else if (holding.head >= CLEAR_AT && 2 * holding.head > holding.revisions.length) {
      holding.revisions.splice(0, holding.head);
      holding.sizes.splice(0, holding.head);
      holding.head = 0;
    }
  }

  /** Which are to leave, at most `limit` of them, so that no more than `keepBytes` are held: they hold on until `remove`. */
  beyond(keepBytes: number, limit: number): Leaving[] {
    const leaving: Leaving[] = [];
    const left = new Map([...this.#held].map(([owner, { head, bytes }]) => [owner, { head, bytes }]));
    let total = this.#bytes;
    while (total > keepBytes && leaving.length < limit) {
      const [most, next] = largest(left);
      if (most === null) break;
      const [owner, rest] = most;
      const { revisions = [], sizes = [] } = this.#held.get(owner) ?? {};
      // Down to what the next one holds, and by one at least.
      do {
        const bytes = sizes[rest.head] ?? 0;
        leaving.push({ owner, revision: revisions[rest.head] as number });
        rest.head++;
        rest.bytes -= bytes;
        total -= bytes;
      } while (rest.bytes > next && total > keepBytes && leaving.length < limit);
    }
    return leaving;
  }
}

interface Rest {
  head: number;
  bytes: number;
}

/** Whoever holds most, and how much the next one does. */
const largest = (left: ReadonlyMap<string, Rest>): [most: [string, Rest] | null, next: number] => {
  let most: [string, Rest] | null = null;
  let next = 0;
  for (const entry of left) {
    if (most === null || entry[1].bytes > most[1].bytes) {
      next = most?.[1].bytes ?? 0;
      most = entry;
    } else next = Math.max(next, entry[1].bytes);
  }
  return [most, next];
};
