/**
 * The identity of a cell that this host leaves, kept beside: were its controller found again, the host could go back. With
 * its key, and with what was heard of its audit.
 */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { authorityFingerprints } from '../../src/identity/authority.ts';
import type { EnrolledIdentity, IdentityFile } from './identity-file.ts';

const KEPT = ['identity.json', 'key.pem', 'audit-heads'];

/** Below the host-agent's folder, one folder for each time. */
export const LEFT = 'left';

/** null where it is no leaving: never enrolled, or an authority that the cell of before trusts. */
export const keepLeft = async (file: IdentityFile, next: EnrolledIdentity, nowMs: number): Promise<string | null> => {
  // One that cannot be read was of no use any more.
  const before = await file.load().catch(() => null);
  if (before === null || knows(before, next)) return null;
  const stamp = new Date(nowMs).toISOString().replace(/[-:.]/g, '');
  const folder = join(file.folder, LEFT, `${before.cell}-${stamp}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of KEPT) {
    await copyFile(join(file.folder, name), join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
  return folder;
};

const knows = (before: EnrolledIdentity, next: EnrolledIdentity): boolean => {
  const known = authorityFingerprints(before.trustBundlePem);
  return authorityFingerprints(next.trustBundlePem).some((fingerprint) => known.includes(fingerprint));
};
