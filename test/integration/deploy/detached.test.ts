import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DetachedProcess } from '../../../src/cli/install/detached.ts';
import { isRunning, stampOf } from '../../../src/cli/install/process-stamp.ts';
import { type Paths, resolvePaths } from '../../../src/runtime/paths.ts';
import { until } from '../../helpers/until.ts';

let home: string;
let paths: Paths;
let daemon: DetachedProcess;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'fleet-detached-'));
  paths = resolvePaths({ home, uid: 4_000_000, env: {} });
  daemon = new DetachedProcess(paths, 'sleeper');
});
afterEach(async () => {
  await daemon.stop();
  rmSync(home, { recursive: true, force: true });
});

const SLEEPER: [string, ...string[]] = ['/bin/sh', '-c', 'echo here; exec sleep 1000'];
const lockFile = (): string => join(paths.state, 'sleeper.lock');

test('is started once and found again by whoever comes later', async () => {
  expect(await daemon.ensure(SLEEPER)).toBe('started');
  const first = await daemon.running();
  expect(await new DetachedProcess(paths, 'sleeper').ensure(SLEEPER)).toBe('unchanged');
  expect((await daemon.running())?.pid).toBe(first?.pid);
  await until(async () => (await readFile(daemon.logFile, 'utf8')) === 'here\n', { timeoutMs: 30_000 });
});

test('is started anew for another version or command', async () => {
  await daemon.ensure(SLEEPER, { version: '1' });
  const first = (await daemon.running())!;
  expect(await daemon.ensure(SLEEPER, { version: '2' })).toBe('restarted');
  expect(isRunning(first)).toBe(false);
  expect((await daemon.running())?.version).toBe('2');
});

test('is started again after it was killed', async () => {
  await daemon.ensure(SLEEPER);
  const first = (await daemon.running())!;
  process.kill(first.pid, 'SIGKILL');
  await until(() => !isRunning(first), { timeoutMs: 30_000 });
  expect(await daemon.ensure(SLEEPER)).toBe('started');
});

test('ends when it is told to, and stopping again is no error', async () => {
  await daemon.ensure(SLEEPER);
  const first = (await daemon.running())!;
  expect(await daemon.stop()).toBe(true);
  expect(isRunning(first)).toBe(false);
  expect(await daemon.stop()).toBe(false);
});

test('a process that took its number is never signalled', async () => {
  await daemon.ensure(SLEEPER);
  const real = (await daemon.running())!;
  try {
    writeFileSync(lockFile(), JSON.stringify({ ...real, startTicks: '1' }));
    expect(await daemon.stop()).toBe(false);
    expect(stampOf(real.pid)).not.toBeNull();
  } finally {
    process.kill(real.pid, 'SIGKILL');
  }
});

test('a damaged lock is as none', async () => {
  await daemon.ensure(SLEEPER);
  const real = (await daemon.running())!;
  try {
    writeFileSync(lockFile(), '{"pid":');
    expect(await daemon.running()).toBeNull();
  } finally {
    process.kill(real.pid, 'SIGKILL');
  }
});
