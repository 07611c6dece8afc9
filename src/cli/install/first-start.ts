/**
 * The first start of a controller on this machine: where it fails, what it made is taken back, and nothing that was there
 * before: its folder with a new authority, its settings, its unit.
 */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Paths } from '../../runtime/paths.ts';
import { settingsFile } from './daemon-settings.ts';
import type { Daemons } from './daemons.ts';
import { writeIfDifferent } from './write-file.ts';

/** Rejects as `work` does. A controller that has a folder already is left as it is then. */
export const takingBack = async <T>(paths: Paths, daemons: Daemons, work: () => Promise<T>): Promise<T> => {
  const folder = join(paths.state, 'controller');
  const settings = settingsFile(paths, 'controller');
  const isFirst = !existsSync(folder);
  const written = await readFile(settings, 'utf8').catch(() => null);
  const hadUnit = daemons.isInstalled('controller');
  try {
    return await work();
  } catch (error) {
    if (isFirst) {
      await (hadUnit ? daemons.stop('controller') : daemons.remove('controller'));
      await rm(folder, { recursive: true, force: true });
      if (written === null) await rm(settings, { force: true });
      else await writeIfDifferent(settings, written, 0o600);
    }
    throw error;
  }
};
