/** `fleet apply -f --dry-run` of one roster for two machines, as a whole process: both tell their rosters, and all is planned. */
import { type Figure, figure, measured } from '../harness/figure.ts';
import { MachineLoad } from '../harness/process-cost.ts';
import { median, summary } from '../harness/statistics.ts';
import { interleaved } from '../harness/timed-run.ts';
import { AGENTS, type TwoRosters, twoRosters } from '../places/two-rosters.ts';

const REACH_MS = 1_000;
const ROUNDS = 20;

export const apply500: Figure = figure({
  name: 'apply-500',
  about: `fleet apply -f --dry-run of a roster of ${AGENTS} agents over two hosts, whole process, ${ROUNDS} rounds`,
  place: twoRosters,
  async *measure({ jarvis, file }: TwoRosters) {
    const load = new MachineLoad();
    const programs = { plan: jarvis.fleetArgv('apply', '-f', file, '--dry-run') };
    const { plan } = await interleaved(programs, jarvis.env, ROUNDS);
    const walls = plan.map(({ wallMs }) => wallMs);
    yield measured('apply-500.plan', median(walls), 'ms', REACH_MS, {
      plan_ms: summary(walls),
      cpu_ms: plan.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / plan.length,
      machine_busy_percent: load.busyPercent,
    });
  },
});
