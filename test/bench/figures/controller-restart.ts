/**
 * The controller ends and starts again under a thousand connected hosts: until all are back, and whether anybody who
 * watched, at the controller or through a host-agent, was ever shown one of them as lost.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../helpers/until.ts';
import { type Figure, figure, measured } from '../harness/figure.ts';
import { LinkWatcher } from '../harness/link-watcher.ts';
import { MachineLoad, readCost } from '../harness/process-cost.ts';
import { HOSTS, type ThousandHosts, thousandHosts } from '../places/thousand-hosts.ts';

const REACH_MS = 10_000;
const TIMEOUT_MS = 60_000;
/** The window after a start in which nobody may be called lost, and a little: what ends late is seen too. */
const AFTERMATH_MS = 16_000;

interface Restart {
  allBackMs: number;
  /** Of the new process until all were back: the least that it takes on any machine. */
  controllerCpuMs: number;
  /** Of the simulated hosts meanwhile, which share this machine's cores with it; real ones would not. */
  simulationCpuMs: number;
  downMs: number;
  answersMs: number;
  everLostAtController: number;
  everLostAtHostAgent: number;
}

const STATES = ['connected', 'resuming', 'unconfirmed', 'lost'];

const cpuOf = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + readCost(pid).cpuMs, 0);

/** Until every host is shown as connected; a timeout says how far it was. */
const whole = (watcher: LinkWatcher, where: string): Promise<true> =>
  until(
    () => {
      if (watcher.isLive && watcher.countIn('connected') === HOSTS + 1) return true as const;
      throw new Error(`at ${where}: ${STATES.map((state) => `${watcher.countIn(state)} ${state}`).join(', ')}`);
    },
    { timeoutMs: TIMEOUT_MS },
  );

const restart = async (place: ThousandHosts, signal: NodeJS.Signals): Promise<Restart> => {
  const { machine } = place;
  await using atController = new LinkWatcher(machine.admin);
  await using atHostAgent = new LinkWatcher(machine.local);
  await Promise.all([whole(atController, 'the controller'), whole(atHostAgent, 'the host-agent')]);
  atController.forget();
  atHostAgent.forget();

  const endMs = performance.now();
  await machine.end(place.controller, signal);
  const startMs = performance.now();
  const simulationBeforeMs = cpuOf(place.swarm.pids);
  place.controller = await machine.start('controller', { ready: false });
  await machine.answers(place.controller);
  const answersMs = performance.now() - startMs;
  await whole(atController, 'the restarted controller');
  const allBackMs = performance.now() - startMs;
  const controllerCpuMs = cpuOf([place.controller.pid]);
  const simulationCpuMs = cpuOf(place.swarm.pids) - simulationBeforeMs;
  await whole(atHostAgent, 'the host-agent');
  await pause(Math.max(0, AFTERMATH_MS - (performance.now() - startMs)));
  return {
    allBackMs,
    controllerCpuMs,
    simulationCpuMs,
    downMs: startMs - endMs,
    answersMs,
    everLostAtController: atController.everIn('lost'),
    everLostAtHostAgent: atHostAgent.everIn('lost'),
  };
};

export const controllerRestart: Figure = figure({
  name: 'controller-restart',
  about: `the controller restarts under ${HOSTS} connected hosts, cleanly and by SIGKILL`,
  place: thousandHosts,
  async *measure(place: ThousandHosts) {
    const load = new MachineLoad();
    const clean = await restart(place, 'SIGTERM');
    const killed = await restart(place, 'SIGKILL');
    yield measured('controller-restart.all-back', Math.max(clean.allBackMs, killed.allBackMs), 'ms', REACH_MS, {
      from: 'the start of the new process',
      clean,
      killed,
      machine_busy_percent: load.busyPercent,
    });
    const lost = [clean, killed].flatMap((each) => [each.everLostAtController, each.everLostAtHostAgent]);
    yield measured('controller-restart.ever-lost', Math.max(...lost), 'hosts', 0, { clean, killed });
  },
});
