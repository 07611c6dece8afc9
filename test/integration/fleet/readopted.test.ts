/** A controller that is lost without a backup: its hosts join a new one, and are the machines that they were. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RunningController } from '../../helpers/run-controller.ts';
import { RunningHostAgent } from '../../helpers/run-host-agent.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 60_000 };
let lost: RunningController;
let cell: RunningController;
let host: RunningHostAgent;

const id = (): string => `dragon-lin/${host.config.user}`;
const joins = async (controller: RunningController): Promise<void> => {
  await host.join(await controller.token('dragon-lin', host.config.user));
  await until(async () => (await controller.link(id())) === 'connected null', SOON);
};

beforeEach(async () => {
  lost = await RunningController.start();
  cell = await RunningController.start();
  host = await RunningHostAgent.start('dragon-lin');
});
afterEach(async () => {
  await host?.remove();
  await Promise.all([cell?.remove(), lost?.remove()]);
});

test('it joins the new one, its sessions and its policy as they were, and keeps who it was aside', async () => {
  const folder = join(host.config.paths.state, 'host-agent');
  const policy = join(host.config.paths.config, 'host-policy.json');
  await mkdir(host.config.paths.config, { recursive: true });
  writeFileSync(policy, '{"control":"send"}');
  await host.tmux('new-session', '-d', '-s', 'coder0-0', 'cat');
  const panes = await host.tmux('list-panes', '-a', '-F', '#{pane_id} #{pane_pid}');
  await joins(lost);
  await until(() => statSync(join(folder, 'audit-heads')).size > 0, SOON);
  const [identity, key] = ['identity.json', 'key.pem'].map((name) => readFileSync(join(folder, name), 'utf8'));
  await lost.remove();

  await joins(cell);
  await until(async () => [...(await cell.view()).rowsOf(id())].length === 1, SOON);
  expect(await host.tmux('list-panes', '-a', '-F', '#{pane_id} #{pane_pid}')).toBe(panes);
  expect(readFileSync(policy, 'utf8')).toBe('{"control":"send"}');
  const [kept = '', ...more] = readdirSync(join(folder, 'left'));
  expect([kept, more]).toEqual([expect.stringMatching(/^home-\d{8}T\d{9}Z$/), []]);
  const aside = (name: string): string => readFileSync(join(folder, 'left', kept, name), 'utf8');
  expect([aside('identity.json'), aside('key.pem')]).toEqual([identity, key]);
  expect(aside('audit-heads')).not.toBe('');
  expect(statSync(join(folder, 'left', kept)).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, 'left', kept, 'key.pem')).mode & 0o777).toBe(0o600);
});

test('one that joins its own cell again leaves nothing, and keeps nothing aside', async () => {
  await joins(cell);
  await host.join(await cell.token('dragon-lin', host.config.user, '', true));
  const token = join(host.config.paths.state, 'host-agent/join-token');
  await until(() => !readdirSync(join(token, '..')).includes('join-token'), SOON);
  await until(async () => (await cell.link(id())) === 'connected null', SOON);
  expect(readdirSync(join(host.config.paths.state, 'host-agent'))).not.toContain('left');
});
