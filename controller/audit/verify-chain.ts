/**
 * Whether the stored chain is whole: each record as it was sealed, each after its predecessor, the last one the last that
 * was written, and the heads that others kept of it still in it. Says where it breaks first; and what a backup that was
 * restored took back is a gap, no break.
 */
import { type Store, scan } from '../store/store.ts';
import { AUDIT_PREFIX, type AuditRecord, decodeRecord, RESTORE_VERB, seal } from './audit-record.ts';

export interface Head {
  sequence: number;
  hash: string;
}

/** As somebody kept it. */
export interface KeptHead extends Head {
  /** When it was heard, by the clock of whoever keeps it. */
  heardMs: number;
}

export interface ChainVerdict {
  /** Records that hold, up to the first one that does not. */
  records: number;
  /** 0: there is none. */
  firstSequence: number;
  head: Head;
  broken: { sequence: number; atMs: number; why: string } | null;
  headsFound: number;
  /** The oldest head that is not where it was. */
  rewritten: Head | null;
  /** The newest record that says that a backup was restored. */
  restored: { sequence: number; atMs: number; reason: string } | null;
  /** Heads of records that are gone with what a restore took back: they were heard before it. */
  headsLost: number;
}

export interface ChainExpectation {
  head: Head;
  heads: readonly KeptHead[];
  keepRecords: number;
}

/** The oldest may be let go while the first ones are read. */
const SLACK = 1_000;

/** What is appended meanwhile is not looked at. */
export const verifyChain = async (store: Store, expected: ChainExpectation): Promise<ChainVerdict> => {
  const { head, heads, keepRecords } = expected;
  const verdict: ChainVerdict = {
    records: 0,
    firstSequence: 0,
    head,
    broken: null,
    headsFound: 0,
    rewritten: null,
    restored: null,
    headsLost: 0,
  };
  // Of one sequence there are two where a restore took the first one back.
  const kept = Map.groupBy(heads, ({ sequence }) => sequence);
  const missed = (head: KeptHead): void => {
    if (verdict.restored !== null && head.heardMs < verdict.restored.atMs) verdict.headsLost++;
    else verdict.rewritten ??= { sequence: head.sequence, hash: head.hash };
  };
  let previous: AuditRecord | null = null;
  for await (const { key, value } of scan(store, AUDIT_PREFIX, 200)) {
    const sequence: number = Number(key.slice(AUDIT_PREFIX.length));
    if (sequence > head.sequence) break;
    const record = readable(value);
    const why = record === null ? 'it cannot be read' : faultOf(record, sequence, previous, head, keepRecords);
    if (why !== null || record === null) {
      verdict.broken = { sequence, atMs: record?.atMs ?? 0, why: why ?? '' };
      return verdict;
    }
    if (record.verb === RESTORE_VERB) verdict.restored = { sequence, atMs: record.atMs, reason: record.reason };
    for (const told of kept.get(sequence) ?? []) {
      if (told.hash === record.hash) verdict.headsFound++;
      else missed(told);
    }
    if (previous === null) verdict.firstSequence = sequence;
    previous = record;
    verdict.records++;
  }
  const last = previous?.sequence ?? 0;
  if (previous?.hash !== head.hash && head.sequence > 0) {
    const why =
      last === head.sequence ? 'it is not the one that was written' : 'this record and those after it are missing';
    verdict.broken = { sequence: last === head.sequence ? last : last + 1, atMs: previous?.atMs ?? 0, why };
  }
  const beyond = heads.filter(({ sequence }) => sequence > head.sequence).sort((a, b) => a.sequence - b.sequence);
  for (const told of beyond) missed(told);
  return verdict;
};

const faultOf = (
  record: AuditRecord,
  sequence: number,
  previous: AuditRecord | null,
  head: Head,
  keepRecords: number,
): string | null => {
  if (record.sequence !== sequence) return `it stands where another was: it is record ${record.sequence}`;
  if (record.hash !== seal(record)) return 'it was altered';
  if (previous === null) {
    const first = head.sequence > keepRecords ? head.sequence - keepRecords + SLACK : 1;
    return sequence > first ? `records before it are missing, from ${first} on` : null;
  }
  if (sequence !== previous.sequence + 1) return `records before it are missing, from ${previous.sequence + 1} on`;
  return record.previous === previous.hash ? null : 'it was not written after the one before it';
};

const readable = (value: Uint8Array): AuditRecord | null => {
  try {
    return decodeRecord(value);
  } catch {
    return null;
  }
};
