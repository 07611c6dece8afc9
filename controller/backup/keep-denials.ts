/**
 * What was taken away after a backup was made would stand again once it is restored. Where the database that it takes the
 * place of is this cell's and can be read, it stays taken away; else nobody knows of it.
 */
import { join } from 'node:path';
import { authorityFingerprints, readIfThere } from '../../src/identity/authority.ts';
import { AUDIT_KINDS, auditKey, decodeRecord } from '../audit/audit-record.ts';
import { type BackupAbout, copyDatabase } from '../store/backup-file.ts';
import type { Mirror } from '../store/mirror.ts';
import {
  type CeilingRecord,
  type GrantRecord,
  type IdentityRecord,
  openRecords,
  type PeerRecord,
  type Records,
} from '../store/records.ts';
import { SqliteStore } from '../store/sqlite-store.ts';

export interface KeptDenials {
  /** Identities, grants and peers; also those in whose place another came. */
  revoked: number;
  quarantined: number;
  /** Host-agents whose callers were allowed less. */
  narrowed: number;
  /** Host-agents that came to another tenant. */
  moved: number;
  /** Tenants. */
  removed: number;
}

/** The database of `folder` is read from a copy at `copy`, which is the caller's to remove. null where it does not tell. */
export const keepDenials = async (
  folder: string,
  copy: string,
  { about, records, nowMs }: { about: BackupAbout; records: Records; nowMs: number },
): Promise<KeptDenials | null> => {
  const store = new SqliteStore(copy);
  try {
    const last = await lastOf(folder, store, copy, about).catch(() => null);
    return last === null ? null : await carryOver(last, records, nowMs);
  } finally {
    store.stop();
  }
};

const lastOf = async (
  folder: string,
  store: SqliteStore,
  copy: string,
  about: BackupAbout,
): Promise<Records | null> => {
  await copyDatabase(join(folder, 'controller.db'), copy);
  store.start();
  const isSameCell = (await hasSigned(folder, about).catch(() => false)) || (await goesOnFrom(store, about));
  return isSameCell ? await openRecords(store) : null;
};

/** A cell of the same name that began anew has another authority. */
const hasSigned = async (folder: string, { fingerprint }: BackupAbout): Promise<boolean> => {
  const files = ['ca.crt', 'ca-old.crt', 'ca-retired.crt'];
  const pems = await Promise.all(files.map((name) => readIfThere(join(folder, name))));
  return authorityFingerprints(pems.join('')).includes(fingerprint);
};

const goesOnFrom = async (store: SqliteStore, { audit }: BackupAbout): Promise<boolean> => {
  const entries = await Promise.all(AUDIT_KINDS.map((kind) => store.get(auditKey(kind, audit.sequence))));
  return entries.some((entry) => entry !== null && decodeRecord(entry.value).hash === audit.hash);
};

const carryOver = async (last: Records, records: Records, nowMs: number): Promise<KeptDenials> => {
  const identities = changed(records.identities, last.identities, lastIdentity);
  const grants = changed(records.grants, last.grants, (held, then) => lastGrant(held, then, nowMs));
  const peers = changed(records.peers, last.peers, (held, then) => lastPeer(held, then, nowMs));
  const ceilings = changed(records.ceilings, last.ceilings, lastCeiling);
  const ended = identities.filter(({ next }) => next.revoked);
  const living = identities.filter(({ next }) => !next.revoked);
  const removed = [...records.tenants.entries()].filter(([name]) => last.tenants.get(name) === undefined);
  const fallen = peers.filter(({ next }) => next.state === 'revoked');
  await records.store.commit({
    put: [
      ...identities.map(({ name, next }) => records.identities.writing(name, next)),
      ...grants.map(({ name, next }) => records.grants.writing(name, next)),
      ...peers.map(({ name, next }) => records.peers.writing(name, next)),
      ...ceilings.map(({ name, next }) => records.ceilings.writing(name, next)),
      // Whose what is, as it was last: another tenant does not get back what it had to leave.
      ...[...last.bindings.entries()].map(([name, binding]) => records.bindings.writing(name, binding)),
      ...[...last.tenants.entries()].map(([name, tenant]) => records.tenants.writing(name, tenant)),
    ],
    remove: [
      ...[...records.bindings.entries()]
        .filter(([name]) => last.bindings.get(name) === undefined)
        .map(([name]) => records.bindings.keyOf(name)),
      // Nobody belonged to it: whoever does in the backup has fallen, or moved, by now.
      ...removed.map(([name]) => records.tenants.keyOf(name)),
    ],
  });
  return {
    revoked: ended.length + grants.length + fallen.length,
    quarantined: living.filter(({ held, next }) => next.quarantined && !held.quarantined).length,
    narrowed: ceilings.length,
    moved: living.filter(({ held, next }) => next.tenantId !== held.tenantId).length,
    removed: removed.length,
  };
};

const changed = <T>(restored: Mirror<T>, last: Mirror<T>, asLast: (held: T, then: T | undefined) => T) =>
  [...restored.entries()]
    .map(([name, held]) => ({ name, held, next: asLast(held, last.get(name)) }))
    .filter(({ held, next }) => JSON.stringify(held) !== JSON.stringify(next));

const lastIdentity = (held: IdentityRecord, then: IdentityRecord | undefined): IdentityRecord => {
  if (held.revoked) return held;
  if (then?.revoked) return then;
  // Enrolled anew since: the key of before is void, and the backup does not know the other.
  if (then?.keyFingerprint !== held.keyFingerprint) return { ...held, revoked: true };
  return { ...held, tenantId: then.tenantId, ...(then.quarantined ? { quarantined: true } : {}) };
};

const lastGrant = (held: GrantRecord, then: GrantRecord | undefined, nowMs: number): GrantRecord => {
  if (held.revokedMs !== null) return held;
  if (then === undefined) return { ...held, revokedMs: nowMs };
  const { revokedMs, expiredMs } = then;
  return { ...held, revokedMs, ...(expiredMs === undefined ? {} : { expiredMs }) };
};

/**
 * One that was removed and accepted again is another one. An authority that it has given up is not trusted again, and what it
 * grants is shown to those alone who were to see it last.
 */
const lastPeer = (held: PeerRecord, then: PeerRecord | undefined, nowMs: number): PeerRecord => {
  if (held.state === 'revoked') return held;
  if (then?.state === 'revoked') return then;
  if (then?.acceptedMs !== held.acceptedMs) return { ...held, state: 'revoked', revokedMs: nowMs };
  const { trustBundlePem, addresses, audience } = then;
  return { ...held, trustBundlePem, addresses, audience };
};

const lastCeiling = ({ verbs }: CeilingRecord, then: CeilingRecord | undefined): CeilingRecord => ({
  verbs: verbs.filter((verb) => then?.verbs.includes(verb)),
});
