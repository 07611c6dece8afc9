/** Takes away what the quickstart made in this home; folders that hold anything else stay. */
import { existsSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { MACHINES } from './machines.ts';
import { pathsOf } from './sessions.ts';

const removeIfEmpty = (folder: string): void => {
  try {
    rmdirSync(folder);
  } catch {
    // Somebody else's things are in it, or it was never there.
  }
};

export const removeTraces = (shipped: string): void => {
  for (const machine of MACHINES) {
    const paths = pathsOf(machine);
    for (const folder of [paths.state, paths.config, paths.run]) {
      rmSync(folder, { recursive: true, force: true });
      removeIfEmpty(dirname(folder));
      removeIfEmpty(dirname(dirname(folder)));
    }
  }
  if (!existsSync(join(shipped, 'VERSION'))) return;
  const id = readFileSync(join(shipped, 'VERSION'), 'utf8').trim();
  // An installed fleet of the same version shares this cache.
  if (existsSync(join(homedir(), '.local/share/fleet/versions', id))) return;
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'fleet');
  rmSync(join(cache, id), { recursive: true, force: true });
  removeIfEmpty(cache);
};
