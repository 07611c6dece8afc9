/**
 * A cgroup for each host of a run. Two hosts must never share one: the systemd of each would manage, and end, the
 * other's services. It also says which processes are a run's, whatever became of their parents.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

const TOP = 'fleet-testbed';

/** Roots of the hierarchies that systemd uses: one on a cgroup v2 machine, two on a hybrid one. */
const roots = (): string[] =>
  existsSync('/sys/fs/cgroup/cgroup.procs')
    ? ['/sys/fs/cgroup']
    : ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'].filter((root) => existsSync(root));

const foldersOf = (name: string): string[] => roots().map((root) => join(root, TOP, name));

/** argv that starts `argv` inside the cgroup `name` (`run/host`), which is made where it is missing. */
export const inCgroup = (name: string, argv: readonly string[]): string[] => {
  const folders = foldersOf(name);
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  const enter = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1/cgroup.procs"; shift; n=$((n-1)); done; exec "$@"';
  return ['sh', '-c', enter, 'sh', String(folders.length), ...folders, ...argv];
};

/** Pids in the cgroup and all below it, as this machine numbers them. */
export const pidsIn = (name: string): number[] => {
  const pids = foldersOf(name).flatMap((folder) =>
    below(folder).flatMap((each) => {
      try {
        return readFileSync(join(each, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
      } catch {
        return [];
      }
    }),
  );
  return [...new Set(pids)].filter((pid) => pid > 0);
};

/** Removes the cgroup and all below it; what still holds processes stays. */
export const removeCgroup = (name: string): void => {
  for (const folder of foldersOf(name).flatMap((each) => below(each).reverse())) {
    try {
      rmdirSync(folder);
    } catch {
      // Busy, or gone already: the caller looks at pidsIn.
    }
  }
};

const below = (folder: string): string[] => {
  try {
    const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [folder, ...children.flatMap((entry) => below(join(folder, entry.name)))];
  } catch {
    return [];
  }
};
