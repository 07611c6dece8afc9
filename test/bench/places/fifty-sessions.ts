/** One machine with a controller, a host-agent and fifty sessions on a private tmux server. */
import { userInfo } from 'node:os';
import { takeSnapshot } from '../../../src/cli/client/snapshot.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { until } from '../../helpers/until.ts';
import type { Bench } from '../harness/bench.ts';
import type { Machine } from '../harness/machine.ts';

export const SESSIONS = 50;

export interface OneMachine extends AsyncDisposable {
  machine: Machine;
}

export const fiftySessions = async (bench: Bench): Promise<OneMachine> => {
  await using stack = new AsyncDisposableStack();
  const machine = stack.use(bench.machine('W-jarvis'));
  for (let each = 0; each < SESSIONS; each++) {
    await machine.tmux('new-session', '-d', '-s', `agent-${each}`, 'sleep 100000');
  }
  await machine.start('controller');
  await machine.start('host-agent');
  await machine.join(await machine.token(machine.name, userInfo().username));
  const rows = async () => {
    const mirror = await takeSnapshot(machine.paths, { localOnly: false, hostsOnly: false, clock: systemClock });
    return [...mirror.hostAgentIds()].reduce((sum, id) => sum + mirror.rowCountOf(id), 0);
  };
  await until(async () => (await rows()) === SESSIONS, { timeoutMs: 15_000 });
  const all = stack.move();
  return { machine, [Symbol.asyncDispose]: () => all.disposeAsync() };
};
