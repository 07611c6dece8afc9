/** Agents on a tmux server that they share: each comes and goes without another. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HOLDER } from '../../../../host-agent/launch/launch-paths.ts';
import { prepareHolder } from '../../../../host-agent/launch/prepare.ts';
import { until } from '../../../helpers/until.ts';
import { isGone, LaunchBed } from './launch-bed.ts';

const SOON = { timeoutMs: 60_000 };
let bed: LaunchBed;
let holder: ChildProcess | null = null;
beforeEach(() => {
  bed = new LaunchBed();
  const agents = ['a', 'b', 'c'].map((name) => ({ name, command: name === 'c' ? 'echo c; exit 5' : 'sleep 1000' }));
  const defaults = { layout: 'shared', env: { MOSAIC_HEARTBEAT_INTERVAL: 1 } };
  const roster = { version: 2, tmux: { socket_name: 'all' }, defaults, agents };
  writeFileSync(join(bed.ground.mosaicHome, 'fleet/roster.yaml'), JSON.stringify(roster));
});
afterEach(async () => {
  if (holder !== null && holder.exitCode === null) {
    holder.kill('SIGTERM');
    await once(holder, 'exit');
  }
  holder = null;
  await bed.close();
});

const startHolder = async (): Promise<void> => {
  expect(await prepareHolder({ ground: bed.ground, own: bed.own, nowMs: Date.now })).toBeNull();
  holder = spawn('/bin/sh', [bed.files(HOLDER).server], { env: bed.own, stdio: 'ignore' });
  await until(() => sessions().includes('_holder'), SOON);
};

const joinServer = async (agent: string): Promise<number | null> => {
  expect((await bed.prepare(agent)).problems).toEqual([]);
  return spawnSync('/bin/sh', [bed.files(agent).join], { env: bed.own, timeout: 50_000 }).status;
};

const sessions = (): string[] => {
  const args = ['-u', '-L', 'all', 'list-sessions', '-F', '#{session_name}'];
  return execFileSync('tmux', args, { encoding: 'utf8', env: bed.own, stdio: 'pipe' }).trim().split('\n');
};

test('an agent without its holder does not start a server of its own', async () => {
  expect(await joinServer('a')).not.toBe(0);
  expect(() => sessions()).toThrow(/no server running|error connecting/);
});

test('stopping one ends its session and no other; one that ends by itself is recorded and goes', async () => {
  await startHolder();
  for (const agent of ['a', 'b']) expect(await joinServer(agent)).toBe(0);
  await until(() => bed.pid('a') > 0 && bed.pid('b') > 0, SOON);
  const [a, b] = [bed.pid('a'), bed.pid('b')];
  expect(spawnSync('/bin/sh', [bed.files('a').stop], { env: bed.own, timeout: 20_000 }).status).toBe(0);
  expect([isGone(a), isGone(b)]).toEqual([true, false]);
  expect(sessions().sort()).toEqual(['_holder', 'b']);
  expect(await bed.lastRun('a')).toMatchObject({ cause: 'stopped' });
  expect(await joinServer('c')).toBe(0);
  await until(async () => (await bed.lastRun('c'))?.status === 5, SOON);
  await until(() => sessions().sort().join() === '_holder,b', SOON);
  expect(isGone(b)).toBe(false);
});
