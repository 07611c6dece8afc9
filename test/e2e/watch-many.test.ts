/** Many who watch one agent of another machine at once: one look at it serves them all, and a slow one is nobody's burden. */
import { beforeAll, expect, test } from 'vitest';
import { fleetGround } from '../helpers/fleet-ground.ts';
import { agentsOf, see } from '../helpers/fleet-seen.ts';
import { HostPane } from '../helpers/host-pane.ts';
import type { RunningCommand } from '../helpers/testbed/ssh-line.ts';
import { tmuxClients } from '../helpers/tmux-clients.ts';
import { until } from '../helpers/until.ts';

const WATCH = '~/.local/bin/fleet watch dragon-lin/coder0-0';
const ground = fleetGround();
let source: HostPane;

const clients = () => tmuxClients(ground.dragon);

beforeAll(async () => {
  source = new HostPane(ground.dragon, 'coder0-0');
  await source.tmux('respawn-pane', '-k', "cd ~; env LANG=C.UTF-8 PS1='> ' bash --norc --noprofile");
  await source.untilShows(/^>$/);
  await until(async () => (await clients()).length === 1, { timeoutMs: 40_000 });
});

test('fifty are one client of the agent’s server; one that stands still holds up nobody, and nothing is kept for it', async () => {
  const { jarvis, dragon } = ground;
  const noise = [
    'import os, sys, time',
    'while True:',
    '    cells = iter(os.urandom(99 * 29))',
    "    rows = [''.join('\\x1b[38;5;%dm#' % next(cells) for _ in range(99)) for _ in range(29)]",
    "    sys.stdout.write('\\x1b[H' + '\\r\\n'.join(rows)); sys.stdout.flush(); time.sleep(0.02)",
  ];
  await dragon.host.writeFile('/home/jwoltje/noise.py', `${noise.join('\n')}\n`, { owner: 'jwoltje' });
  const workload = dragon.host.workload();
  const many: RunningCommand[] = [];
  const frames = new Map<number, number>();
  const over = new Set<number>();
  const watch = async (n: number): Promise<void> => {
    const running = await jarvis.host.start(jarvis.user, `echo $$ > ~/watch.${n}; exec ${WATCH} --fps 20`);
    running.onLine((line) => {
      if (!line.includes('"event":"frame"')) return;
      frames.set(n, (frames.get(n) ?? 0) + 1);
      if (line.includes('"over and out"')) over.add(n);
    });
    many.push(running);
  };
  // Each ssh connection carries but ten commands; the others are one command together.
  const others = `for n in $(seq 48); do ${WATCH} --fps 1 > ~/others.$n & done; echo $(jobs -p) > ~/others; wait`;
  many.push(await jarvis.host.start(jarvis.user, others));
  await watch(1);
  await watch(2);
  const framed = 'grep -l \'"event":"frame"\' ~/others.* 2>/dev/null | wc -l || true';
  await until(async () => Number(await jarvis.host.mustSsh(jarvis.user, framed)) === 48 && frames.size === 2, {
    timeoutMs: 300_000,
  });
  expect(await clients()).toHaveLength(2);
  expect(agentsOf(await see(jarvis), 'dragon-lin').find(({ agent }) => agent === 'coder0-0')?.tmux?.attached).toBe(0);
  await jarvis.host.mustSsh(jarvis.user, 'kill -9 $(cat ~/others); rm ~/others.*');

  await source.type('python3 noise.py');
  await until(() => (frames.get(2) ?? 0) > 20, { timeoutMs: 60_000 });
  const still = (await jarvis.host.mustSsh(jarvis.user, 'cat ~/watch.2')).trim();
  await jarvis.host.mustSsh(jarvis.user, `kill -STOP ${still}`);
  const [goesOnFrom = 0, stoodAt = 0] = [frames.get(1), frames.get(2)];
  await until(() => (frames.get(1) ?? 0) > goesOnFrom + 200, { timeoutMs: 180_000 });
  await source.press('C-c');
  await source.type('clear; echo over and out');
  await until(() => over.has(1), { timeoutMs: 40_000 });
  await jarvis.host.mustSsh(jarvis.user, `kill -CONT ${still}`);
  await until(() => over.has(2), { timeoutMs: 40_000 });
  // What it missed was kept for it nowhere: beyond what the sockets held it sees the end and no history.
  expect((frames.get(2) ?? 0) - stoodAt).toBeLessThan(100);
  await jarvis.host.mustSsh(jarvis.user, 'kill $(cat ~/watch.1 ~/watch.2)');
  await until(() => many.every(({ hasEnded }) => hasEnded), { timeoutMs: 40_000 });
  await until(async () => (await clients()).length === 1, { timeoutMs: 40_000 });
  expect(dragon.host.workload()).toEqual(workload);
});
