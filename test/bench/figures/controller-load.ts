/** What the controller costs with a thousand hosts of twenty agents, at a thousand changes a second and one follower. */
import { setTimeout as pause } from 'node:timers/promises';
import { endChild } from '../harness/children.ts';
import { type Figure, figure, type Measurement, measured } from '../harness/figure.ts';
import { cpuPercent, MachineLoad, readCost, readMemory } from '../harness/process-cost.ts';
import { type ThousandHosts, thousandHosts } from '../places/thousand-hosts.ts';

const CHANGES_PER_SECOND = 1_000;
const SETTLE_MS = 5_000;
const WINDOW_MS = 20_000;
const RSS_REACH_MB = 400;
const CPU_REACH_PERCENT = 30;

/** Less than this share of the changes was not the load that the reach is said of. */
const LEAST_LOAD = 0.95;

/** No verdict where this machine could not make the load. */
const underLoad = (line: Measurement, changesPerSecond: number): Measurement =>
  changesPerSecond >= LEAST_LOAD * CHANGES_PER_SECOND ? line : { ...line, ok: null };

const over = async (pid: number, windowMs: number): Promise<number> => {
  const before = readCost(pid);
  await pause(windowMs);
  return cpuPercent(before, readCost(pid));
};

export const controllerLoad: Figure = figure({
  name: 'controller-load',
  about: `the controller's memory and CPU at ${CHANGES_PER_SECOND} changes a second, over ${WINDOW_MS / 1_000} s`,
  place: thousandHosts,
  async *measure({ machine, controller, hostAgent, swarm }: ThousandHosts) {
    const load = new MachineLoad();
    const idlePercent = await over(controller.pid, SETTLE_MS);
    const follower = machine.follow(['ps', '-w', '-o', 'ndjson'], { stdio: 'ignore' });
    await swarm.churn(CHANGES_PER_SECOND);
    await pause(SETTLE_MS);
    await swarm.churn(CHANGES_PER_SECOND);
    const followerPid = follower.pid as number;
    const startMs = performance.now();
    const [busyPercent, hostAgentPercent, followerPercent] = await Promise.all(
      [controller.pid, hostAgent.pid, followerPid].map((pid) => over(pid, WINDOW_MS)),
    );
    const memory = readMemory(controller.pid);
    const besides = { host_agent: readMemory(hostAgent.pid), follower: readMemory(followerPid) };
    const changes = await swarm.churn(0);
    const changesPerSecond = (changes * 1_000) / (performance.now() - startMs);
    await endChild(follower);
    const common = {
      changes_per_second: changesPerSecond,
      seconds: WINDOW_MS / 1_000,
      machine_busy_percent: load.busyPercent,
    };
    const rss = measured('controller-load.rss', memory.rssMb, 'MB', RSS_REACH_MB, { ...memory, besides, ...common });
    yield underLoad(rss, changesPerSecond);
    const cpu = measured('controller-load.cpu', busyPercent as number, '% of a core', CPU_REACH_PERCENT, {
      without_changes: idlePercent,
      relaying_host_agent: hostAgentPercent,
      follower: followerPercent,
      ...common,
    });
    yield underLoad(cpu, changesPerSecond);
  },
});
