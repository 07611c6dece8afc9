/** Files and links that appear whole or not at all, and are left alone when they say the same already. */
import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readFile, readlink, rename, symlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeWhole } from '../../runtime/write-whole.ts';

const fresh = (path: string): string => `${path}.${randomUUID().slice(0, 8)}.partial`;

/** True when something was written. A folder that has to be made is private to the user. */
export const writeIfDifferent = async (path: string, content: string, mode: number): Promise<boolean> => {
  const present = await readFile(path, 'utf8').catch(() => null);
  if (present === content && ((await lstat(path)).mode & 0o777) === mode) return false;
  await writeWhole(path, content, mode);
  return true;
};

/** True when the link was made or turned. Replaces a link only: ENOTEMPTY, EEXIST or EISDIR for anything else. */
export const pointLink = async (link: string, target: string): Promise<boolean> => {
  const present = await lstat(link).catch(() => null);
  if (present && !present.isSymbolicLink()) throw Object.assign(new Error(`${link} is no link`), { code: 'EEXIST' });
  if (present && (await readlink(link)) === target) return false;
  await mkdir(dirname(link), { recursive: true, mode: 0o755 });
  const partial = fresh(link);
  await symlink(target, partial);
  await rename(partial, link);
  return true;
};
