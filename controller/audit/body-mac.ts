/**
 * Bodies of messages as the audit knows them: their HMAC under a key of the cell, made once and kept beside the store. It
 * proves later what was sent to whoever has the text, and tells nobody else anything.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { FleetError } from '../../src/domain/errors.ts';
import { writePrivateFile } from '../../src/identity/private-file.ts';

export type BodyMac = (text: string) => string;

const KEY_BYTES = 32;

/** DATA_LOSS for a key file that holds no key. */
export const openBodyMac = async (path: string): Promise<BodyMac> => {
  const key = await readFile(path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    const made = randomBytes(KEY_BYTES);
    await writePrivateFile(path, made);
    return made;
  });
  if (key.length !== KEY_BYTES) {
    throw new FleetError(
      'DATA_LOSS',
      `${path} is no key of ${KEY_BYTES} bytes: restore it, or remove it for a new one`,
    );
  }
  return (text) => createHmac('sha256', key).update(text, 'utf8').digest('hex');
};
