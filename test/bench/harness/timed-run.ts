/** A program run to its end, with the time from before its start until it was gone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readCost } from './process-cost.ts';

export interface TimedRun {
  wallMs: number;
  /** In steps of 10 ms: add up many. */
  cpuMs: number;
}

/** Its output is thrown away. Throws where it does not end with 0. */
export const timedRun = async (argv: readonly string[], env: Record<string, string>): Promise<TimedRun> => {
  const before = readCost(process.pid).childCpuMs;
  const startMs = performance.now();
  const child = spawn(argv[0] as string, argv.slice(1), { env, stdio: 'ignore' });
  const [code, signal] = await once(child, 'exit');
  const wallMs = performance.now() - startMs;
  if (code !== 0) throw new Error(`${argv.join(' ')}: ended with ${code ?? signal}`);
  return { wallMs, cpuMs: readCost(process.pid).childCpuMs - before };
};

/** Runs each program in turn, round after round, so that all meet the same machine. */
export const interleaved = async <Name extends string>(
  programs: Record<Name, readonly string[]>,
  env: Record<string, string>,
  rounds: number,
): Promise<Record<Name, TimedRun[]>> => {
  const names = Object.keys(programs) as Name[];
  const runs = Object.fromEntries(names.map((name) => [name, [] as TimedRun[]])) as Record<Name, TimedRun[]>;
  // Twice unmeasured: page cache and compile cache are warm for whoever types it a second time.
  for (let round = -2; round < rounds; round++) {
    for (const name of names) {
      const run = await timedRun(programs[name], env);
      if (round >= 0) runs[name].push(run);
    }
  }
  return runs;
};
