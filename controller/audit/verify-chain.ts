/**
 * Whether the stored chain is whole: each record as it was sealed, each after its predecessor, the last one the last that
 * was written, and the heads that others kept of it still in it. Says where it breaks first; what was let go, and what a
 * backup that was restored took back, is a gap, no break.
 */
import type { Store } from '../store/store.ts';
import { type AuditRecord, decodeRecord, type Head, RESTORE_VERB } from './audit-record.ts';
import { type ChainBreak, type ChainEnd, ChainLinks } from './chain-links.ts';
import { type KeptRecord, scanKept } from './kept-records.ts';

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
  broken: ChainBreak | null;
  headsFound: number;
  /** The oldest head that is not where it was. */
  rewritten: Head | null;
  /** The newest record that says that a backup was restored. */
  restored: { sequence: number; atMs: number; reason: string } | null;
  /** Heads of records that are gone with what a restore took back: they were heard before it. */
  headsLost: number;
}

export interface ChainExpectation extends ChainEnd {
  /** Of changes. */
  heads: readonly KeptHead[];
}

/** What is appended meanwhile is not looked at. */
export const verifyChain = async (store: Store, expected: ChainExpectation): Promise<ChainVerdict> => {
  const { head, heads } = expected;
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
  const links = new ChainLinks(expected);
  const told = [...heads].sort((a, b) => a.sequence - b.sequence);
  const upTo = (sequence: number): KeptHead[] => {
    const beyond = told.findIndex((each) => each.sequence > sequence);
    return told.splice(0, beyond < 0 ? told.length : beyond);
  };
  const missed = ({ sequence, hash, heardMs }: KeptHead): void => {
    if (verdict.restored !== null && heardMs < verdict.restored.atMs) verdict.headsLost++;
    else verdict.rewritten ??= { sequence, hash };
  };
  let isFirstChange = true;
  for await (const kept of scanKept(store)) {
    const { kind, sequence } = kept;
    if (sequence > head.sequence) break;
    const record = readable(kept);
    const why = record === null ? 'it cannot be read' : links.faultOf(record, kept);
    if (why !== null || record === null) {
      verdict.broken = { sequence, atMs: record?.atMs ?? 0, why: why ?? '' };
      return verdict;
    }
    if (verdict.records++ === 0) verdict.firstSequence = sequence;
    if (kind === 'read') continue;
    // Of changes that were let go nothing can be proven any more.
    for (const at of upTo(sequence - 1)) if (!isFirstChange) missed(at);
    isFirstChange = false;
    if (record.verb === RESTORE_VERB) verdict.restored = { sequence, atMs: record.atMs, reason: record.reason };
    // There may be two of one sequence, where a restore took the first one back.
    for (const at of upTo(sequence)) {
      if (at.hash === record.hash) verdict.headsFound++;
      else missed(at);
    }
  }
  verdict.broken = links.faultAtEnd();
  for (const at of told) missed(at);
  return verdict;
};

const readable = ({ value }: KeptRecord): AuditRecord | null => {
  try {
    return decodeRecord(value);
  } catch {
    return null;
  }
};
