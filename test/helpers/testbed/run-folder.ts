/**
 * Where a run keeps what it made on this machine, and who owns it: enough on disk that another process can remove all
 * of it after the owner is gone. Nothing of a run lies elsewhere, but its network namespace and cgroup of the same name.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, type ProcessId, readStat } from './processes.ts';

export const RUNS = '/run/fleet-testbed';

/** Short, since socket paths (107 bytes) and interface names (15) carry it. */
export const RUN_ID = /^[a-z0-9]{1,6}$/;

export const runFolder = (runId: string): string => join(RUNS, runId);
export const netnsOf = (runId: string): string => `fleet-${runId}`;

/** Makes the folder, owned by this process; fails where the run id is in use. */
export const claimRun = (runId: string): string => {
  if (!RUN_ID.test(runId)) throw new Error(`run id ${runId}: one to six of a-z and 0-9`);
  const folder = runFolder(runId);
  const made = join(RUNS, `.${runId}-${process.pid}`);
  mkdirSync(made, { recursive: true, mode: 0o755 });
  writeFileSync(join(made, 'owner.json'), JSON.stringify(readStat(process.pid)));
  renameSync(made, folder);
  return folder;
};

/** Runs whose owner is gone. A folder without a readable owner was interrupted while being removed. */
export const staleRuns = (): string[] => {
  let runs: string[];
  try {
    runs = readdirSync(RUNS);
  } catch {
    return [];
  }
  return runs.filter((runId) => RUN_ID.test(runId) && !hasOwner(runId));
};

const hasOwner = (runId: string): boolean => {
  try {
    return isRunning(JSON.parse(readFileSync(join(runFolder(runId), 'owner.json'), 'utf8')) as ProcessId);
  } catch {
    return false;
  }
};
