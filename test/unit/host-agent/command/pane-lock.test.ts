import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PaneBusy, PaneLocks } from '../../../../host-agent/command/pane-lock.ts';
import { processStartTicks } from '../../../../src/runtime/process-start.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-locks-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const pane = { socket: '/tmp/tmux-1/default', paneId: '%1', panePid: 7 };
const soon = () => AbortSignal.timeout(200);
const patient = () => AbortSignal.timeout(30_000);

test('one at a time, in the order in which they came, whichever host-agent asks', async () => {
  const here = new PaneLocks(folder);
  const there = new PaneLocks(folder);
  const turns: number[] = [];
  const first = await here.take(pane, patient());
  const rest = [there, here, there].map(async (locks, index) => {
    using _turn = await locks.take(pane, patient());
    turns.push(index);
  });
  expect(turns).toEqual([]);
  first[Symbol.dispose]();
  await Promise.all(rest);
  expect(turns).toEqual([0, 1, 2]);
  expect(readdirSync(folder)).toEqual([]);
});

test('whose turn does not come in time leaves the queue', async () => {
  const locks = new PaneLocks(folder);
  const first = await locks.take(pane, patient());
  await expect(locks.take(pane, soon())).rejects.toBeInstanceOf(PaneBusy);
  first[Symbol.dispose]();
  (await locks.take(pane, patient()))[Symbol.dispose]();
});

test('whoever waits in vain is told whose turn it is, and not who waits before', async () => {
  const locks = new PaneLocks(folder);
  using _held = await locks.take(pane, patient(), 'restart 3f2a by local:ann\u001b[31m');
  const next = new PaneLocks(folder).take(pane, AbortSignal.timeout(600), 'send 77 by local:bob');
  await expect(locks.take(pane, soon())).rejects.toMatchObject({ holder: 'restart 3f2a by local:ann␛[31m' });
  await expect(next).rejects.toThrow(/restart 3f2a by local:ann.* types into this pane/);
});

test('other panes, and another life of the same one, are free', async () => {
  const locks = new PaneLocks(folder);
  using _held = await locks.take(pane, patient());
  for (const other of [
    { ...pane, paneId: '%2' },
    { ...pane, panePid: 8 },
    { ...pane, socket: '/tmp/x' },
  ]) {
    (await locks.take(other, patient()))[Symbol.dispose]();
  }
});

test('what a killed process left is no hindrance, what a living one holds is', async () => {
  const locks = new PaneLocks(folder);
  const held = await locks.take(pane, patient());
  const queue = join(folder, readdirSync(folder)[0] as string);
  held[Symbol.dispose]();
  const dead = spawnSync('true').pid;
  mkdirSync(queue, { recursive: true, mode: 0o700 });
  writeFileSync(join(queue, `ticket-1-${dead}-1-1`), '');
  writeFileSync(join(queue, `choosing-${dead}-1-2`), '');
  // A pid that is used again is another process.
  writeFileSync(join(queue, `ticket-2-${process.pid}-1-1`), '');
  (await locks.take(pane, patient()))[Symbol.dispose]();
  expect(readdirSync(folder)).toEqual([]);

  mkdirSync(queue, { recursive: true, mode: 0o700 });
  writeFileSync(join(queue, `ticket-1-${process.ppid}-${processStartTicks(process.ppid)}-1`), '');
  await expect(locks.take(pane, soon())).rejects.toBeInstanceOf(PaneBusy);
});
