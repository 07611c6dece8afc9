/**
 * A context on disk: who one is to a controller elsewhere. The key is made here, once, and never leaves; `context.json`
 * is written last, so that a folder without it is a login that did not end.
 */
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { FleetError } from '../../domain/errors.ts';
import { loadOrMakeKey } from '../../identity/key.ts';
import { writePrivateFile } from '../../identity/private-file.ts';
import type { Paths } from '../../runtime/paths.ts';
import { contextFile, contextFolder, contextsFolder, isContext } from './contexts.ts';

const known = z.object({
  cell: z.string(),
  /** Its name as an operator. */
  operator: z.string(),
  /** Of the controller, host:port, best first. */
  addresses: z.array(z.string()),
});

export type KnownController = z.infer<typeof known>;

export interface HeldContext extends KnownController {
  name: string;
  folder: string;
  keyPem: string;
  certificatePem: string;
  trustBundlePem: string;
}

const keyFile = (folder: string): string => join(folder, 'key.pem');
const certificateFile = (folder: string): string => join(folder, 'certificate.pem');
const bundleFile = (folder: string): string => join(folder, 'trust-bundle.pem');

/** DATA_LOSS where a part is missing or is none. */
export const readContext = async (paths: Paths, name: string): Promise<HeldContext> => {
  const folder = contextFolder(paths, name);
  try {
    const read = (file: string): Promise<string> => readFile(file, 'utf8');
    const [text, keyPem, certificatePem, trustBundlePem] = await Promise.all([
      read(contextFile(folder)),
      read(keyFile(folder)),
      read(certificateFile(folder)),
      read(bundleFile(folder)),
    ]);
    return { name, folder, keyPem, certificatePem, trustBundlePem, ...known.parse(JSON.parse(text)) };
  } catch (cause) {
    const mend = `fleet context rm ${name} removes it, a new invitation makes it anew`;
    throw new FleetError('DATA_LOSS', `context ${name} in ${folder} is damaged: ${mend}`, { cause });
  }
};

/** Of a login that may have begun before: the same key again, so that a lost answer can be had again. */
export const keyOfNew = async (folder: string) => {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return await loadOrMakeKey(keyFile(folder));
};

export const saveContext = async (
  folder: string,
  { certificatePem, trustBundlePem, cell, operator, addresses }: Omit<HeldContext, 'name' | 'folder' | 'keyPem'>,
): Promise<void> => {
  await writePrivateFile(bundleFile(folder), trustBundlePem);
  await writePrivateFile(certificateFile(folder), certificatePem);
  await writePrivateFile(contextFile(folder), `${JSON.stringify({ cell, operator, addresses }, null, 2)}\n`);
};

/** Wall-clock milliseconds at which the controller said last whom to trust. */
export const trustSavedMs = async (folder: string): Promise<number> => (await stat(bundleFile(folder))).mtimeMs;

/** Names of whole ones, in their order. */
export const listContexts = async (paths: Paths): Promise<string[]> => {
  const names = await readdir(contextsFolder(paths)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => isContext(paths, name)).sort();
};

export const removeContext = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });
