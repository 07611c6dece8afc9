import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import type { TmuxPane } from '../../../host-agent/inventory/source.ts';
import { readProcessStat } from '../../../host-agent/tmux/process-stat.ts';
import { withZombie } from '../../../host-agent/tmux/zombie-pane.ts';
import { until } from '../../helpers/until.ts';

let parent: ChildProcess | undefined;
afterEach(() => void parent?.kill('SIGKILL'));

/** Pid of a process that ended so and whose parent never asks. */
const zombie = async (command: string): Promise<number> => {
  // It ends only when its parent has become a program that never waits; $$ is the parent here.
  const wait = 'until read -r name </proc/$$/comm && [ "$name" = sleep ]; do :; done';
  const script = `(${wait}; ${command}) & echo $!; exec sleep 1000`;
  parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = await once(parent.stdout!, 'data');
  const pid = Number(String(line));
  await until(() => readProcessStat('/proc', pid)?.state === 'Z', { timeoutMs: 30_000 });
  return pid;
};
const pane = (values: Partial<TmuxPane>): TmuxPane =>
  ({ id: '%0', dead: false, exitStatus: null, signal: null, ...values }) as TmuxPane;

test('a zombie is dead, whatever tmux says, and tells how it ended', async () => {
  const exited = await zombie('exit 3');
  expect(withZombie(pane({ pid: exited }), '/proc')).toMatchObject({ dead: true, exitStatus: 3, signal: null });
  expect(withZombie(pane({ pid: exited, dead: true }), '/proc')).toMatchObject({ exitStatus: 3, signal: null });
  parent?.kill('SIGKILL');
  const killed = await zombie(`exec sh -c 'kill -TERM $$'`);
  expect(withZombie(pane({ pid: killed }), '/proc')).toMatchObject({ dead: true, exitStatus: null, signal: 'SIGTERM' });
});

test('a living process, one that is gone, and a status that tmux knows are left as they are', async () => {
  const alive = pane({ pid: process.pid });
  expect(withZombie(alive, '/proc')).toBe(alive);
  const gone = pane({ pid: 2 ** 22 + 1 });
  expect(withZombie(gone, '/proc')).toBe(gone);
  const known = pane({ pid: await zombie('exit 3'), dead: true, exitStatus: 4 });
  expect(withZombie(known, '/proc')).toBe(known);
});
