/** What enrolment leaves on this machine: the identity that the host-agent keeps, the token that it is handed. */
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { FleetError } from '../../domain/errors.ts';
import { type HandedToken, handedTokenText } from '../../identity/handed-token.ts';
import type { Paths } from '../../runtime/paths.ts';
import { writeIfDifferent } from './write-file.ts';

const Identity = z.looseObject({
  cell: z.string(),
  host: z.string(),
  user: z.string(),
  addresses: z.array(z.string()).default([]),
  trustBundlePem: z.string().default(''),
  certificatePem: z.string().default(''),
});

export type EnrolledAs = z.infer<typeof Identity>;

export const identityFile = (paths: Paths): string => join(paths.state, 'host-agent/identity.json');
export const joinTokenFile = (paths: Paths): string => join(paths.state, 'host-agent/join-token');

/** null: this user's host-agent belongs to no cell yet. Throws DATA_LOSS for a file that cannot be read. */
export const readEnrolment = async (paths: Paths): Promise<EnrolledAs | null> => {
  const file = identityFile(paths);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : parseEnrolment(text, file);
};

/** Which writing of the identity is there: another one after each, also of the same content. Empty: none. */
export const identityWritten = async (paths: Paths): Promise<string> => {
  const found = await stat(identityFile(paths), { bigint: true }).catch(() => null);
  return found === null ? '' : `${found.ino}:${found.mtimeNs}`;
};

/** Throws DATA_LOSS; `where` names the file for people. */
export const parseEnrolment = (text: string, where: string): EnrolledAs => {
  try {
    return Identity.parse(JSON.parse(text));
  } catch (cause) {
    throw new FleetError('DATA_LOSS', `${where} is damaged: fleet host join writes it anew`, { cause });
  }
};

/**
 * The host-agent takes the file at its next start and deletes it once it is enrolled: the token on the first line,
 * addresses to try before the token's own on the following ones.
 */
export const handOverToken = async (paths: Paths, handed: HandedToken): Promise<void> => {
  const file = joinTokenFile(paths);
  await rm(file, { force: true });
  await writeIfDifferent(file, handedTokenText(handed), 0o600);
};
