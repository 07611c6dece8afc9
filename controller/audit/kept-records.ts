/** The records of both kinds as the store has them, in the one order of their sequences. */
import type { Store } from '../store/store.ts';
import { AUDIT_KINDS, type AuditKind, auditKey, auditPrefix, countsOf, decodeRecord } from './audit-record.ts';

export interface KeptRecord {
  kind: AuditKind;
  /** As its key has it. */
  sequence: number;
  value: Uint8Array;
}

export interface Span {
  limit: number;
  /** Beginning beyond this one. */
  beyond?: number;
  /** Newest first. */
  reverse?: boolean;
}

export const listKept = async (store: Store, { limit, beyond, reverse = false }: Span): Promise<KeptRecord[]> => {
  const lists = AUDIT_KINDS.map(async (kind) => {
    const after = beyond === undefined ? {} : { after: auditKey(kind, beyond) };
    const entries = await store.list(auditPrefix(kind), { limit, reverse, ...after });
    const sequenceOf = (key: string): number => Number(key.slice(auditPrefix(kind).length));
    return entries.map(({ key, value }): KeptRecord => ({ kind, sequence: sequenceOf(key), value }));
  });
  const order = reverse ? -1 : 1;
  const kept = (await Promise.all(lists)).flat().sort((a, b) => order * (a.sequence - b.sequence));
  return kept.slice(0, limit);
};

/** Read in pages, so that nothing else waits long. */
export async function* scanKept(store: Store, pageSize = 200): AsyncGenerator<KeptRecord> {
  for (let beyond = 0; ; ) {
    const page = await listKept(store, { limit: pageSize, beyond });
    yield* page;
    beyond = page.at(-1)?.sequence ?? beyond;
    if (page.length < pageSize) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What is gone of a kind by now: how many, and where the first one stands that is kept; null of none. */
export const letGo = async (store: Store, kind: AuditKind): Promise<{ count: number; before: number } | null> => {
  const [oldest] = await store.list(auditPrefix(kind), { limit: 1 });
  if (oldest === undefined) return null;
  const record = decodeRecord(oldest.value);
  return { count: countsOf(record)[kind] - 1, before: record.sequence };
};
