/** A file that appears whole or not at all, and is on disk before it does. A folder that has to be made is private to the user. */
import { randomUUID } from 'node:crypto';
import { chmod, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Replaces what is there. */
export const writeWhole = (path: string, content: string, mode: number): Promise<void> =>
  placed(path, content, mode, (partial) => rename(partial, path));

/** Never in place of another: false where one is there. */
export const writeNewFile = async (path: string, content: string, mode: number): Promise<boolean> => {
  try {
    // Unlike a rename it fails where the name is taken.
    await placed(path, content, mode, (partial) => link(partial, path));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
};

const placed = async (
  path: string,
  content: string,
  mode: number,
  place: (partial: string) => Promise<void>,
): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const partial = `${path}.${randomUUID().slice(0, 8)}.partial`;
  try {
    const file = await open(partial, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    // The process's umask has no say in it.
    await chmod(partial, mode);
    await place(partial);
  } finally {
    await rm(partial, { force: true });
  }
};
