/**
 * What was revoked after a backup was made would stand again once it is restored. Where the database that it takes the place
 * of can still be read, what is revoked there stays revoked.
 */
import { entriesOf } from '../store/backup-file.ts';
import type { Store } from '../store/store.ts';

const PREFIXES = ['identity/', 'grant/', 'peer/'];

interface Revocable {
  revoked?: boolean;
  revokedMs?: number | null;
  keyFingerprint?: string;
}

/** How many were; null where it cannot be read. */
export const keepRevocations = async (database: string, store: Store): Promise<number | null> => {
  const put: { key: string; value: Uint8Array }[] = [];
  try {
    for await (const { key, value } of entriesOf(database)) {
      if (!PREFIXES.some((prefix) => key.startsWith(prefix)) || !isRevoked(parsed(value))) continue;
      const restored = (await store.get(key))?.value;
      if (restored !== undefined && isSame(parsed(restored), parsed(value))) put.push({ key, value });
    }
  } catch {
    return null;
  }
  if (put.length > 0) await store.commit({ put });
  return put.length;
};

const parsed = (value: Uint8Array): Revocable => JSON.parse(Buffer.from(value).toString('utf8')) as Revocable;

const isRevoked = ({ revoked, revokedMs }: Revocable): boolean => revoked === true || (revokedMs ?? null) !== null;

/** It stands in the backup, and is no other that bears the name. */
const isSame = (restored: Revocable, before: Revocable): boolean =>
  !isRevoked(restored) && restored.keyFingerprint === before.keyFingerprint;
