/**
 * What the events of each host-agent hold of the log, and which of them are its oldest. Whoever holds most gives up first: a
 * host that makes many pushes out its own, and nobody else's.
 */
import { waterLevel } from './water-level.ts';

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
    let over = this.#bytes - keepBytes;
    if (over <= 0) return leaving;
    const held = [...this.#held].sort(([, a], [, b]) => b.bytes - a.bytes);
    const level = waterLevel(
      held.map(([, { bytes }]) => bytes),
      over,
    );
    for (const [owner, { revisions, sizes, head, bytes }] of held) {
      let rest = bytes;
      for (let at = head; at < revisions.length && rest > level; at++) {
        if (over <= 0 || leaving.length >= limit) return leaving;
        leaving.push({ owner, revision: revisions[at] as number });
        rest -= sizes[at] ?? 0;
        over -= sizes[at] ?? 0;
      }
    }
    return leaving;
  }
}
