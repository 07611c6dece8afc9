/** A controller, a thousand simulated hosts of twenty agents each, and one real host-agent from which people look. */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { controllerStatus } from '../../../src/cli/client/admin-methods.ts';
import { until } from '../../helpers/until.ts';
import type { Bench } from '../harness/bench.ts';
import type { Daemon, Machine } from '../harness/machine.ts';
import { Swarm } from '../swarm/swarm.ts';

export const HOSTS = 1_000;
export const AGENTS_PER_HOST = 20;
export const ROWS = HOSTS * AGENTS_PER_HOST;
const CONNECTED_TIMEOUT_MS = 60_000;

export interface ThousandHosts extends AsyncDisposable {
  machine: Machine;
  controller: Daemon;
  hostAgent: Daemon;
  swarm: Swarm;
}

export const thousandHosts = async (bench: Bench): Promise<ThousandHosts> => {
  await using stack = new AsyncDisposableStack();
  const machine = stack.use(bench.machine('W-jarvis'));
  const controller = await machine.start('controller');
  const swarm = stack.use(new Swarm(join(machine.home, 'swarm'), { processes: 2 }));
  const startMs = performance.now();
  await swarm.enrol(machine, { hosts: HOSTS, agentsPerHost: AGENTS_PER_HOST });
  await until(async () => (await connected(machine)) === HOSTS, { timeoutMs: CONNECTED_TIMEOUT_MS });
  bench.say(`${HOSTS} hosts enrolled and connected in ${Math.round((performance.now() - startMs) / 1_000)} s`);
  const hostAgent = await machine.start('host-agent');
  await machine.join(await machine.token(machine.name, userInfo().username));
  const all = stack.move();
  return { machine, controller, hostAgent, swarm, [Symbol.asyncDispose]: () => all.disposeAsync() };
};

export const connected = async (machine: Machine): Promise<number> =>
  (await machine.ask(machine.admin, (channel) => channel.unary(controllerStatus, {}, { deadlineMs: 5_000 }))).connected;
