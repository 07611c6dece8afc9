/** `fleet ps` as a whole process, launcher and Node.js included, against the same Node.js doing nothing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Figure, figure, measured } from '../harness/figure.ts';
import { MachineLoad } from '../harness/process-cost.ts';
import { median, summary } from '../harness/statistics.ts';
import { interleaved, type TimedRun } from '../harness/timed-run.ts';
import { fiftySessions, type OneMachine, SESSIONS } from '../places/fifty-sessions.ts';

const REACH = 2.5;
const ROUNDS = 40;

const walls = (runs: TimedRun[]): number[] => runs.map(({ wallMs }) => wallMs);
const meanCpuMs = (runs: TimedRun[]): number => runs.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / runs.length;

export const ps50: Figure = figure({
  name: 'ps-50',
  about: `fleet ps of ${SESSIONS} rows against an empty start of the same Node.js, ${ROUNDS} pairs`,
  place: fiftySessions,
  async *measure({ machine }: OneMachine, bench) {
    const empty = join(machine.home, 'empty.mjs');
    writeFileSync(empty, '');
    const load = new MachineLoad();
    const { nothing, ps, version } = await interleaved(
      {
        nothing: [bench.shipped.node, empty],
        ps: machine.fleetArgv('ps'),
        version: machine.fleetArgv('version'),
      },
      machine.env,
      ROUNDS,
    );
    yield measured('ps-50.ratio', median(walls(ps)) / median(walls(nothing)), 'x', REACH, {
      ps_ms: summary(walls(ps)),
      empty_start_ms: summary(walls(nothing)),
      version_ms: summary(walls(version)),
      cpu_ratio: meanCpuMs(ps) / meanCpuMs(nothing),
      machine_busy_percent: load.busyPercent,
    });
  },
});
