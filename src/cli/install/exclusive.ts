/** One change of this installation at a time: a lock file that names its holder and outlives no process. */
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FleetError } from '../../domain/errors.ts';
import type { Paths } from '../../runtime/paths.ts';
import { isRunning, type ProcessStamp, stampOf } from './process-stamp.ts';

/** Throws ABORTED when another run holds it; a lock whose holder has ended is taken over. */
export const exclusively = async <T>(paths: Paths, work: () => Promise<T>): Promise<T> => {
  const file = join(paths.state, 'install.lock');
  await mkdir(paths.state, { recursive: true, mode: 0o700 });
  await take(file);
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
};

const take = async (file: string): Promise<void> => {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      const handle = await open(file, 'wx', 0o600);
      await handle.writeFile(JSON.stringify(stampOf(process.pid)));
      await handle.close();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = await holderOf(file);
    if (holder !== null) {
      throw new FleetError('ABORTED', `process ${holder} is changing this installation now: wait until it has ended`);
    }
    await rm(file, { force: true });
  }
  throw new FleetError('ABORTED', `another run took ${file} at the same moment: try again`);
};

const holderOf = async (file: string): Promise<number | null> => {
  try {
    const stamp = JSON.parse(await readFile(file, 'utf8')) as ProcessStamp;
    return isRunning(stamp) ? stamp.pid : null;
  } catch {
    return null;
  }
};
