/** Half-made folders of runs that were killed: removed once they are too old to belong to a running one. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

export const PARTIAL_PREFIX = '.partial-';
const LEFT_AFTER_MS = 3_600_000;

export const removeLeftovers = async (folder: string): Promise<void> => {
  const nowMs = Date.now();
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(PARTIAL_PREFIX)) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: nowMs }));
    if (nowMs - mtimeMs > LEFT_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
};
