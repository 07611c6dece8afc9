/**
 * Who may read the figures: whoever can read this file, which is the controller's user. They name every tenant and host,
 * and the port that tells them is open to each account of the machine.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { FleetError } from '../../src/domain/errors.ts';
import { writePrivateFile } from '../../src/identity/private-file.ts';

export type MayRead = (authorization: string | undefined) => boolean;

const SECRET_BYTES = 32;
const SECRET = /^[0-9a-f]{64}$/;

/** Made where there is none. DATA_LOSS for a file that holds no token. */
export const openMetricsToken = async (path: string): Promise<MayRead> => {
  const kept = await readFile(path, 'utf8').catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    const made = randomBytes(SECRET_BYTES).toString('hex');
    await writePrivateFile(path, `${made}\n`);
    return made;
  });
  const secret = kept.trim();
  if (!SECRET.test(secret)) throw new FleetError('DATA_LOSS', `${path} holds no token: remove it for a new one`);
  const wanted = digestOf(`Bearer ${secret}`);
  return (authorization) => timingSafeEqual(digestOf(authorization ?? ''), wanted);
};

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();
