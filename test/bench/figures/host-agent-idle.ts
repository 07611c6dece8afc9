/**
 * What a host-agent costs while its twenty agents do nothing but beat: memory, CPU, processes that it starts, bytes on its
 * uplink. Then the same while it keeps a copy of the fleet, as it does for ten minutes after a `fleet ps`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Figure, figure, measured } from '../harness/figure.ts';
import { cpuPercent, MachineLoad, type ProcessCost, readCost, readMemory } from '../harness/process-cost.ts';
import { timedRun } from '../harness/timed-run.ts';
import { AGENTS, type IdleAgents, idleAgents } from '../places/idle-agents.ts';

const SETTLE_MS = 8_000;
const IDLE_MS = 30_000;
const WARM_MS = 12_000;
const LOOK_MS = 20;
const RSS_REACH_MB = 90;
const CPU_REACH_PERCENT = 1;
const UPLINK_REACH_BYTES = 2_000;

interface Window {
  before: ProcessCost;
  after: ProcessCost;
  /** Children that were seen and had not been there before. */
  started: number;
  upPerSecond: number;
  downPerSecond: number;
}

const observe = async ({ hostAgent, uplink }: IdleAgents, windowMs: number, look: boolean): Promise<Window> => {
  const before = readCost(hostAgent.pid);
  const { up, down } = uplink;
  const known = new Set(before.children);
  const first = known.size;
  const endMs = performance.now() + windowMs;
  while (performance.now() < endMs) {
    await pause(look ? LOOK_MS : windowMs);
    if (look) for (const pid of readCost(hostAgent.pid).children) known.add(pid);
  }
  const after = readCost(hostAgent.pid);
  for (const pid of after.children) known.add(pid);
  const seconds = (after.atMs - before.atMs) / 1_000;
  return {
    before,
    after,
    started: known.size - first,
    upPerSecond: (uplink.up - up) / seconds,
    downPerSecond: (uplink.down - down) / seconds,
  };
};

/** Exactly 0 where no child ended (its page faults would show) and none is new; else at least what was seen. */
const forks = ({ before, after, started }: Window): number =>
  after.childFaults === before.childFaults ? started : Math.max(1, started);

export const hostAgentIdle: Figure = figure({
  name: 'host-agent-idle',
  about: `a host-agent with ${AGENTS} idle agents, over ${IDLE_MS / 1_000} s`,
  place: idleAgents,
  async *measure(place: IdleAgents) {
    const { machine, hostAgent } = place;
    const load = new MachineLoad();
    await pause(SETTLE_MS);
    const idle = await observe(place, IDLE_MS, false);
    const counted = await observe(place, IDLE_MS / 3, true);
    const memory = readMemory(hostAgent.pid);
    await timedRun(machine.fleetArgv('ps'), machine.env);
    const warm = await observe(place, WARM_MS, false);
    const warmMemory = readMemory(hostAgent.pid);
    const machineBusy = { machine_busy_percent: load.busyPercent };

    yield measured('host-agent-idle.rss', memory.rssMb, 'MB', RSS_REACH_MB, { ...memory, after_a_ps: warmMemory });
    yield measured('host-agent-idle.cpu', cpuPercent(idle.before, idle.after), '% of a core', CPU_REACH_PERCENT, {
      after_a_ps: cpuPercent(warm.before, warm.after),
      seconds: IDLE_MS / 1_000,
      ...machineBusy,
    });
    const idleSeconds = (idle.after.atMs - idle.before.atMs) / 1_000;
    const atLeast = Math.max(forks(idle) / idleSeconds, forks(counted) / (IDLE_MS / 3_000));
    yield measured('host-agent-idle.forks', atLeast, '1/s', 0, {
      how: '0 is exact: page faults of ended children and the set of children did not change',
      children: idle.after.children.length,
      seen_every_20_ms: counted.started,
      faults_of_ended_children: idle.after.childFaults - idle.before.childFaults,
    });
    yield measured('host-agent-idle.uplink', idle.upPerSecond + idle.downPerSecond, 'B/s', UPLINK_REACH_BYTES, {
      up: idle.upPerSecond,
      down: idle.downPerSecond,
      after_a_ps: { up: warm.upPerSecond, down: warm.downPerSecond },
      of: 'TCP payload, TLS included',
    });
  },
});
