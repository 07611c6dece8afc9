/** What enrolment leaves on this machine: the identity that the host-agent keeps, the token that it is handed. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { FleetError } from '../../domain/errors.ts';
import type { ControlLevel } from '../../domain/host-agent.ts';
import type { Paths } from '../../runtime/paths.ts';
import { writeIfDifferent } from './write-file.ts';

const Identity = z.looseObject({
  cell: z.string(),
  host: z.string(),
  user: z.string(),
  addresses: z.array(z.string()).default([]),
});

export type EnrolledAs = z.infer<typeof Identity>;

export const identityFile = (paths: Paths): string => join(paths.state, 'host-agent/identity.json');
export const joinTokenFile = (paths: Paths): string => join(paths.state, 'host-agent/join-token');
export const hostPolicyFile = (paths: Paths): string => join(paths.config, 'host-policy.json');

/** null: this user's host-agent belongs to no cell yet. Throws DATA_LOSS for a file that cannot be read. */
export const readEnrolment = async (paths: Paths): Promise<EnrolledAs | null> => {
  const file = identityFile(paths);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  try {
    return Identity.parse(JSON.parse(text));
  } catch (cause) {
    throw new FleetError('DATA_LOSS', `${file} is damaged: fleet host join writes it anew`, { cause });
  }
};

/** The host-agent takes the file at its next start and deletes it. */
export const handOverToken = async (paths: Paths, token: string): Promise<void> => {
  const file = joinTokenFile(paths);
  await rm(file, { force: true });
  await writeIfDifferent(file, `${token.trim()}\n`, 0o600);
};

/** What a host lets others do, as its host-agent reads it; callers of other cells only look. */
export const hostPolicyText = (control: ControlLevel, federated: ControlLevel = 'observe'): string =>
  `${JSON.stringify({ control, federated })}\n`;
