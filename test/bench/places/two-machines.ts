/** Two played machines in one cell: the controller beside W-jarvis, and dragon-lin enrolled with a token. */
import { userInfo } from 'node:os';
import { until } from '../../helpers/until.ts';
import type { Bench } from '../harness/bench.ts';
import { ChangeLines } from '../harness/change-lines.ts';
import type { Daemon, Machine } from '../harness/machine.ts';

export interface TwoMachines extends AsyncDisposable {
  jarvis: Machine;
  controller: Daemon;
  dragon: Machine;
  dragonDaemon: Daemon;
  /** `fleet ps -w` on W-jarvis, running. */
  lines: ChangeLines;
}

export const twoMachines = async (bench: Bench): Promise<TwoMachines> => {
  await using stack = new AsyncDisposableStack();
  const jarvis = stack.use(bench.machine('W-jarvis'));
  const dragon = stack.use(bench.machine('dragon-lin'));
  const controller = await jarvis.start('controller');
  const { username } = userInfo();
  await jarvis.start('host-agent');
  await jarvis.join(await jarvis.token(jarvis.name, username));
  await dragon.tmux('new-session', '-d', '-s', '_holder', 'sleep 100000');
  const dragonDaemon = await dragon.start('host-agent');
  await dragon.join(await jarvis.token(dragon.name, username));
  const lines = new ChangeLines(jarvis.follow(['ps', '-w', '-o', 'ndjson'], { stdio: ['ignore', 'pipe', 'inherit'] }));
  await showsLive(lines, dragon);
  const all = stack.move();
  return { jarvis, controller, dragon, dragonDaemon, lines, [Symbol.asyncDispose]: () => all.disposeAsync() };
};

/** Until a session made on `machine` is told by an event, not found by a survey. */
const showsLive = async (lines: ChangeLines, machine: Machine): Promise<void> => {
  let attempt = 0;
  await until(
    async () => {
      const session = `first-${attempt++}`;
      const shown = lines.next(({ agent }) => agent?.agent === session, 400);
      shown.catch(() => undefined);
      await machine.tmux('new-session', '-d', '-s', session, 'sleep 100000');
      return await shown.then(
        () => true,
        () => false,
      );
    },
    { timeoutMs: 20_000 },
  );
};
