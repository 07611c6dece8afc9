/** `fleet diff -f` of one roster for two machines, as a whole process, against the same Node.js doing nothing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Figure, figure, measured } from '../harness/figure.ts';
import { MachineLoad } from '../harness/process-cost.ts';
import { median, summary } from '../harness/statistics.ts';
import { interleaved } from '../harness/timed-run.ts';
import { AGENTS, type TwoRosters, twoRosters } from '../places/two-rosters.ts';

const REACH_MS = 1_000;
const ROUNDS = 20;

export const diff500: Figure = figure({
  name: 'diff-500',
  about: `fleet diff -f of a roster of ${AGENTS} agents over two hosts, whole process, ${ROUNDS} rounds`,
  place: twoRosters,
  async *measure({ jarvis, file }: TwoRosters, bench) {
    const empty = join(jarvis.home, 'empty.mjs');
    writeFileSync(empty, '');
    const load = new MachineLoad();
    const programs = { nothing: [bench.shipped.node, empty], diff: jarvis.fleetArgv('diff', '-f', file) };
    const { nothing, diff } = await interleaved(programs, jarvis.env, ROUNDS);
    const walls = diff.map(({ wallMs }) => wallMs);
    yield measured('diff-500.whole', median(walls), 'ms', REACH_MS, {
      diff_ms: summary(walls),
      empty_start_ms: summary(nothing.map(({ wallMs }) => wallMs)),
      cpu_ms: diff.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / diff.length,
      machine_busy_percent: load.busyPercent,
    });
  },
});
