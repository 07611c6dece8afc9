/** Private keys: P-256, made where they are used, kept in files of mode 0600, never sent anywhere. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { FleetError } from '../domain/errors.ts';
import { writePrivateFile } from './private-file.ts';

export const makeKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

export const isP256 = (key: KeyObject): boolean =>
  key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';

export const keyToPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

export const publicKeyDer = (key: KeyObject): Buffer =>
  (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });

/** SHA-256 of the SubjectPublicKeyInfo, in lower-case hex: what names a key, whatever certificate it has. */
export const keyFingerprint = (key: KeyObject): string => createHash('sha256').update(publicKeyDer(key)).digest('hex');

/** DATA_LOSS when the file holds anything but a P-256 private key. */
export const loadKey = async (path: string): Promise<KeyObject> => parseKey(await readFile(path), path);

/** The same of its content; `where` names it in words. */
export const parseKey = (pem: Uint8Array, where: string): KeyObject => {
  try {
    const key = createPrivateKey(Buffer.from(pem));
    if (isP256(key)) return key;
  } catch {
    // The reason below says all that helps; OpenSSL's words could quote the file.
  }
  throw new FleetError('DATA_LOSS', `${where} holds no P-256 private key: restore it from a backup, or remove it`);
};

/** The key in `path`; where there is none, a new one, on disk before it is returned. */
export const loadOrMakeKey = async (path: string): Promise<KeyObject> => {
  try {
    return await loadKey(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const key = makeKey();
  await writePrivateFile(path, keyToPem(key));
  return key;
};
