/**
 * Removes everything of one run: processes, mounts, network namespace, cgroup, folder. Works from what the machine
 * shows, not from memory, so it is right after any kind of end, and may run twice. Touches nothing outside the run.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { pidsIn, removeCgroup } from './cgroup.ts';
import { readStat, signalProcess } from './processes.ts';
import { attempt } from './run-command.ts';
import { netnsOf, runFolder } from './run-folder.ts';

const DEADLINE_MS = 60_000;

/** Throws where something is still there at the end, saying what. */
export const sweepRun = async (runId: string): Promise<void> => {
  const left = async (): Promise<string[]> => {
    endProcesses(runId);
    removeCgroup(runId);
    for (const mount of mountsBelow(runFolder(runId))) await attempt(['umount', mount]);
    if (existsSync(`/run/netns/${netnsOf(runId)}`)) await attempt(['ip', 'netns', 'del', netnsOf(runId)]);
    return [
      ...pidsIn(runId).map((pid) => `process ${pid} ${readStat(pid)?.comm ?? ''}`),
      ...mountsBelow(runFolder(runId)).map((mount) => `mount ${mount}`),
      ...(existsSync(`/run/netns/${netnsOf(runId)}`) ? [`network namespace ${netnsOf(runId)}`] : []),
    ];
  };
  const until = performance.now() + DEADLINE_MS;
  for (let rest = await left(); rest.length > 0; rest = await left()) {
    if (performance.now() > until) throw new Error(`testbed run ${runId} left behind: ${rest.join(', ')}`);
    await delay(50);
  }
  removeCgroup(runId);
  rmSync(runFolder(runId), { recursive: true, force: true });
};

/** A host's first process takes the whole host with it. */
const endProcesses = (runId: string): void => {
  for (const pid of pidsIn(runId)) {
    const stat = readStat(pid);
    if (stat !== null) signalProcess(stat, 'SIGKILL');
  }
};

/** Innermost first. */
const mountsBelow = (folder: string): string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((path) => path?.startsWith(`${folder}/`))
    .reverse() as string[];
