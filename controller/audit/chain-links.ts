/**
 * Whether each record, told in order, is linked to those before it: none is missing but the oldest of its kind that were let
 * go, the newest change before it is the one that it names, and the record just before it, where that is kept.
 */
import { AUDIT_KINDS, type AuditKind, type AuditRecord, countsOf, type Head, type Keep, seal } from './audit-record.ts';
import type { KeptRecord } from './kept-records.ts';

export interface ChainBreak {
  sequence: number;
  atMs: number;
  why: string;
}

/** Of what was written. */
export interface ChainEnd {
  head: Head;
  /** Of each kind up to the head. */
  counts: Record<AuditKind, number>;
  keep: Keep;
}

/** The oldest may be let go while the first ones are read. */
const SLACK = 1_000;
const UNLINKED = 'it was not written after the one before it';

export class ChainLinks {
  readonly #expected: ChainEnd;
  #previous: AuditRecord | null = null;
  #lastChange: AuditRecord | null = null;
  /** How many of a kind there are up to the newest of it that was told; null: it was told of none. */
  readonly #seen: Record<AuditKind, number | null> = { change: null, read: null };

  constructor(expected: ChainEnd) {
    this.#expected = expected;
  }

  /** null: it holds. */
  faultOf(record: AuditRecord, { kind, sequence }: Pick<KeptRecord, 'kind' | 'sequence'>): string | null {
    if (record.sequence !== sequence) return `it stands where another was: it is record ${record.sequence}`;
    if (record.hash !== seal(record)) return 'it was altered';
    const counts = countsOf(record);
    const previous = this.#previous;
    const lastChange = this.#lastChange;
    if (AUDIT_KINDS.some((each) => this.#isMissing(each, counts[each] - (each === kind ? 1 : 0)))) {
      return `records before it are missing, from ${(previous?.sequence ?? 0) + 1} on`;
    }
    this.#previous = record;
    this.#seen[kind] = counts[kind];
    if (kind === 'change') this.#lastChange = record;
    if (previous?.sequence === sequence - 1 && record.previous !== previous.hash) return UNLINKED;
    const isNamed = record.lastChange === undefined || lastChange === null || record.lastChange === lastChange.hash;
    return isNamed ? null : UNLINKED;
  }

  /** When all were told. */
  faultAtEnd(): ChainBreak | null {
    const { head, counts } = this.#expected;
    const { sequence: last = 0, hash = head.hash, atMs = 0 } = this.#previous ?? {};
    if (last < head.sequence) return { sequence: last + 1, atMs, why: 'this record and those after it are missing' };
    if (hash !== head.hash) return { sequence: last, atMs, why: 'it is not the one that was written' };
    const isGone = AUDIT_KINDS.some((kind) => counts[kind] > 0 && this.#seen[kind] === null);
    return isGone ? { sequence: last, atMs, why: 'records before it are missing' } : null;
  }

  /** Of a kind, where there were so many before. */
  #isMissing(kind: AuditKind, before: number): boolean {
    const { counts, keep } = this.#expected;
    const gone = counts[kind] > keep[kind] ? counts[kind] - keep[kind] + SLACK : 0;
    const seen = this.#seen[kind];
    return seen === null ? before > gone : before !== seen;
  }
}
