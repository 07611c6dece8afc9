import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Keyboard } from '../../../src/cli/attach/keyboard.ts';
import { hostAgentEndpoint } from '../../../src/cli/client/endpoints.ts';
import { GrpcChannel } from '../../../src/cli/client/grpc-channel.ts';
import { changeTarget } from '../../../src/cli/orders/change-target.ts';
import { exec } from '../../../src/runtime/exec.ts';
import { resolvePaths } from '../../../src/runtime/paths.ts';
import { until } from '../../helpers/until.ts';
import { SLOW } from './stage.ts';

const MAIN = join(import.meta.dirname, '../../../host-agent/main.ts');
const home = mkdtempSync(join(tmpdir(), 'fleet-k-'));
const paths = resolvePaths({ instance: `k${process.pid}`, home });
const never = new AbortController().signal;
let running: ChildProcess;

const tmux = async (...args: string[]): Promise<string> => {
  const env = { TMUX_TMPDIR: paths.tmuxTmpdir, TMUX: '', HOME: home, TERM: 'xterm-256color' };
  const result = await exec('tmux', ['-u', '-f', '/dev/null', ...args], { timeoutMs: 10_000, env });
  if (result.exitCode !== 0) throw new Error(result.stderr);
  return result.stdout.trim();
};
const size = (): Promise<string> => tmux('display-message', '-p', '-t', '=coder:', '#{window_width}x#{window_height}');
const ownOption = (): Promise<string> => tmux('show-options', '-w', '-t', '=coder:', 'window-size');

const start = async (): Promise<void> => {
  const args = [MAIN, '--instance', paths.instance as string, '--name', 'alpha'];
  running = spawn(process.execPath, args, { env: { PATH: process.env.PATH, HOME: home }, stdio: 'ignore' });
  await until(() => changeTarget(paths, 'coder', never).catch(() => null), SLOW);
};
const kill = async (): Promise<void> => {
  running.kill('SIGKILL');
  if (running.exitCode === null && running.signalCode === null) await once(running, 'exit');
};
const take = async (channel: GrpcChannel, resize: { width: number; height: number }): Promise<Keyboard> => {
  const { target } = await changeTarget(paths, 'coder', never);
  const request = { id: randomUUID(), target, takeover: false, ...resize };
  const board = new Keyboard({ channel, request, onNotice: () => undefined, onRoom: () => undefined, signal: never });
  await board.take();
  return board;
};

beforeAll(async () => {
  mkdirSync(paths.tmuxTmpdir, { recursive: true, mode: 0o700 });
  await tmux('new-session', '-d', '-s', 'coder', '-x', '100', '-y', '30', 'sleep 1000');
  await start();
});
afterAll(async () => {
  await kill();
  await tmux('kill-server').catch(() => undefined);
  rmSync(home, { recursive: true, force: true });
  rmSync(paths.run, { recursive: true, force: true });
});

test('what a killed host-agent had lent is given back when the next one starts, and the keyboard is free', async () => {
  using channel = new GrpcChannel(hostAgentEndpoint(paths));
  const board = await take(channel, { width: 140, height: 50 });
  expect(await size()).toBe('140x50');
  await kill();
  await expect(board.ended()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect([await size(), await ownOption()]).toEqual(['140x50', 'window-size manual']);
  await start();
  await until(async () => (await size()) === '100x30', SLOW);
  await until(async () => (await ownOption()) === '', SLOW);
  using again = new GrpcChannel(hostAgentEndpoint(paths));
  await (await take(again, { width: 0, height: 0 })).release(1_000);
});
