/** What stands in a copy of the store that nobody writes to, read through from its first entry to its last. */
import { createHash } from 'node:crypto';
import { decodeRecord, GENESIS, placeOf } from '../audit/audit-record.ts';
import { type BackupAbout, entriesOf } from '../store/backup-file.ts';
import type { IdentityRecord } from '../store/records.ts';

export type Counted = Pick<BackupAbout, 'hosts' | 'entries' | 'audit' | 'digest'>;

export const readCopy = async (path: string): Promise<Counted> => {
  let hosts = 0;
  let entries = 0;
  let newest: { sequence: number; value: Uint8Array } | null = null;
  const sum = createHash('sha256');
  for await (const { key, value } of entriesOf(path)) {
    entries++;
    sum
      .update(`${Buffer.byteLength(key)} ${value.length} `)
      .update(key)
      .update(value);
    if (key.startsWith('identity/') && isHost(value)) hosts++;
    const place = placeOf(key);
    if (place !== null && place.sequence > (newest?.sequence ?? 0)) newest = { sequence: place.sequence, value };
  }
  const { sequence, hash } = newest === null ? { sequence: 0, hash: GENESIS } : decodeRecord(newest.value);
  return { hosts, entries, audit: { sequence, hash }, digest: sum.digest('hex') };
};

/** Enrolled and not revoked. */
const isHost = (value: Uint8Array): boolean => {
  const { kind, revoked } = JSON.parse(Buffer.from(value).toString('utf8')) as IdentityRecord;
  return kind === 'host' && !revoked;
};
