/**
 * A backup of before a rotation would bring back an authority that was given up, and lock out whoever went over. Where the
 * folder that it takes the place of has the authorities of this cell, sound and later, those go on.
 */
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Authorities } from '../../src/identity/authorities.ts';
import { authorityFingerprint, readIfThere } from '../../src/identity/authority.ts';
import { writePrivateFile } from '../../src/identity/private-file.ts';
import type { BackupAbout } from '../store/backup-file.ts';

const FILES = ['ca.key', 'ca.crt', 'ca-next.key', 'ca-next.crt', 'ca-old.crt', 'ca-retired.crt'];

/** In `draft`, in place of the backup's. The fingerprint of the one that signs from now on. */
export const keepAuthorities = async (
  folder: string,
  draft: string,
  { cell, fingerprint }: BackupAbout,
  nowMs: number,
): Promise<string> => {
  const trial = join(draft, 'authorities');
  for (const name of FILES) {
    const content = await readIfThere(join(folder, name)).catch(() => null);
    if (content !== null) await writePrivateFile(join(trial, name), content);
  }
  const last = await Authorities.open(trial, cell, nowMs).catch(() => null);
  const isLater = last !== null && everTrusted(last).includes(fingerprint);
  for (const name of isLater ? FILES : []) {
    await rm(join(draft, name), { force: true });
    if ((await readIfThere(join(trial, name))) !== null) await rename(join(trial, name), join(draft, name));
  }
  await rm(trial, { recursive: true, force: true });
  return isLater ? last.fingerprint : fingerprint;
};

/** One that is only coming has signed nothing. */
const everTrusted = ({ cell, certificate, trusted, phase, retired }: Authorities): string[] =>
  [...(phase === 'begun' ? [certificate] : trusted), ...(retired.get(cell) ?? [])].map(authorityFingerprint);
