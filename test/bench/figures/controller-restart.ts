/**
 * The controller ends and starts again under a thousand connected hosts: until all are back, and whether anybody who
 * watched, at the controller or through a host-agent, was ever shown one of them as lost.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../helpers/until.ts';
import { type Figure, figure, measured } from '../harness/figure.ts';
import { LinkWatcher } from '../harness/link-watcher.ts';
import { MachineLoad } from '../harness/process-cost.ts';
import { HOSTS, type ThousandHosts, thousandHosts } from '../places/thousand-hosts.ts';

const REACH_MS = 10_000;
const TIMEOUT_MS = 60_000;
/** The window after a start in which nobody may be called lost, and a little: what ends late is seen too. */
const AFTERMATH_MS = 16_000;

interface Restart {
  allBackMs: number;
  downMs: number;
  answersMs: number;
  everLostAtController: number;
  everLostAtHostAgent: number;
}

const restart = async (place: ThousandHosts, signal: NodeJS.Signals): Promise<Restart> => {
  const { machine } = place;
  await using atController = new LinkWatcher(machine.admin);
  await using atHostAgent = new LinkWatcher(machine.local);
  const all = HOSTS + 1;
  const isWhole = (watcher: LinkWatcher) => watcher.isLive && watcher.countIn('connected') === all;
  await until(() => isWhole(atController) && isWhole(atHostAgent), { timeoutMs: TIMEOUT_MS });
  atController.forget();
  atHostAgent.forget();

  const endMs = performance.now();
  await machine.end(place.controller, signal);
  const startMs = performance.now();
  place.controller = await machine.start('controller', { ready: false });
  await machine.answers(place.controller);
  const answersMs = performance.now() - startMs;
  await until(() => isWhole(atController), { timeoutMs: TIMEOUT_MS });
  const allBackMs = performance.now() - startMs;
  await until(() => isWhole(atHostAgent), { timeoutMs: TIMEOUT_MS });
  await pause(Math.max(0, AFTERMATH_MS - (performance.now() - startMs)));
  return {
    allBackMs,
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
