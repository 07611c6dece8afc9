/** What is left of an agent that ended, however it ended; and that nothing of it lives on. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRunLines, readRuns } from '../../../../host-agent/launch/runs.ts';
import { processStartTicks } from '../../../../src/runtime/process-start.ts';
import { until } from '../../../helpers/until.ts';
import { isGone, LaunchBed, processesWith } from './launch-bed.ts';

const SOON = { timeoutMs: 40_000 };
let bed: LaunchBed;
beforeEach(() => {
  bed = new LaunchBed();
});
afterEach(() => bed.close());

const lines = async (agent: string): Promise<string[] | null> => readRunLines((await bed.lastRun(agent))!);

test('an agent that ends leaves its last 200 lines, its status, and ends its server; the unit ends as it did', async () => {
  bed.roster({ name: 'a', command: 'for i in $(seq 300); do echo line $i; done; exit 7', lifecycle: 'ephemeral' });
  await bed.start('a');
  expect(await bed.ended('a')).toEqual({ code: 0, signal: null });
  expect(bed.finish('a')).toBe(7);
  expect(await bed.lastRun('a')).toMatchObject({ status: 7, signal: null, cause: 'ended' });
  const kept = (await lines('a'))!;
  expect([kept.length, kept[0], kept.at(-1)]).toEqual([200, 'line 101', 'line 300']);
});

test('an agent that ends well makes its unit end well', async () => {
  bed.roster({ name: 'a', command: 'echo done' });
  await bed.start('a');
  await bed.ended('a');
  expect(bed.finish('a')).toBe(0);
  expect(await bed.lastRun('a')).toMatchObject({ status: 0, cause: 'ended' });
  expect(await lines('a')).toEqual(['done']);
});

test('an agent that is killed is recorded with the signal, and its unit fails', async () => {
  bed.roster({ name: 'a', command: 'sleep 1000' });
  await bed.start('a');
  process.kill(bed.pid('a'), 'SIGKILL');
  await bed.ended('a');
  expect(bed.finish('a')).toBe(128 + 9);
  expect(await bed.lastRun('a')).toMatchObject({ status: null, signal: 'SIGKILL', cause: 'ended' });
});

test('an agent whose unit is stopped leaves its last lines too, and that is no failure', async () => {
  bed.roster({ name: 'a', command: 'echo working; exec sleep 1000' });
  await bed.start('a');
  await until(() => bed.tmux('a', 'capture-pane', '-p', '-t', 'a').includes('working'), SOON);
  const pid = bed.pid('a');
  expect(bed.stop('a')).toBe(0);
  await bed.ended('a');
  expect(isGone(pid)).toBe(true);
  expect(bed.finish('a')).toBe(0);
  expect(await bed.lastRun('a')).toMatchObject({ status: null, signal: null, cause: 'stopped' });
  expect(await lines('a')).toEqual(['working']);
});

test('an agent that does not heed the end of its terminal is ended all the same', async () => {
  bed.roster({ name: 'a', command: `trap '' HUP TERM; echo deaf; while :; do sleep 1; done` });
  await bed.start('a');
  await until(() => bed.tmux('a', 'capture-pane', '-p', '-t', 'a').includes('deaf'), SOON);
  const pid = bed.pid('a');
  process.kill(bed.serverPid('a'), 'SIGKILL');
  expect(await bed.ended('a')).toEqual({ code: null, signal: 'SIGKILL' });
  expect(isGone(pid)).toBe(false);
  expect(bed.finish('a', 'signal')).toBe(1);
  expect(isGone(pid)).toBe(true);
  expect(await bed.lastRun('a')).toMatchObject({ status: null, signal: null, cause: 'killed', linesFile: null });
});

test('a run that the machine took with it is recorded at the next start, as of when it was last seen', async () => {
  bed.roster({ name: 'a', command: 'sleep 1000' });
  await bed.start('a');
  const { folder, finish } = bed.files('a');
  const run = readFileSync(join(folder, 'run'), 'utf8').split(' ');
  bed.stop('a');
  await bed.ended('a');
  bed.finish('a');
  // As the power cord leaves it, with a pid and a start that are now another process's: this one's.
  const start = String(processStartTicks(process.pid));
  const lost = [String(process.pid), start, 'another-boot', '1700000000000', ...run.slice(4)];
  writeFileSync(join(folder, 'run'), lost.join(' '));
  const seenMs = statSync(join(folder, 'run')).mtimeMs;
  expect(existsSync(finish)).toBe(true);
  expect((await bed.prepare('a')).problems).toEqual([]);
  const runs = await readRuns(join(bed.ground.state, 'runs'), 'a');
  expect(runs.map(({ cause, startedMs }) => [cause, startedMs])).toEqual([
    ['stopped', Number(run[3])],
    ['killed', 1_700_000_000_000],
  ]);
  expect(Math.abs(runs[1]!.endedMs - seenMs)).toBeLessThan(2);
  expect(existsSync(join(folder, 'run'))).toBe(false);
});

test('the last five runs are kept, for their user alone', async () => {
  bed.roster({ name: 'a', command: 'true' });
  for (let round = 0; round < 7; round += 1) {
    await bed.start('a');
    await bed.ended('a');
    bed.finish('a');
  }
  const names = readdirSync(bed.files('a').runs).filter((name) => name.endsWith('.json'));
  expect(names.length).toBe(5);
  expect((await readRuns(join(bed.ground.state, 'runs'), 'a')).length).toBe(5);
  for (const name of readdirSync(bed.files('a').runs))
    expect(statSync(join(bed.files('a').runs, name)).mode & 0o777).toBe(0o600);
  expect(statSync(bed.files('a').runs).mode & 0o777).toBe(0o700);
});

test('a pane that a person splits off is no agent: its end records nothing and ends nothing', async () => {
  bed.roster({ name: 'a', command: 'sleep 1000' });
  await bed.start('a');
  bed.tmux('a', 'split-window', '-t', 'a', 'exit 3');
  await until(() => bed.tmux('a', 'list-panes', '-t', 'a').split('\n').length === 1, SOON);
  expect(await bed.lastRun('a')).toBeNull();
  expect(isGone(bed.pid('a'))).toBe(false);
});

test('an agent whose pane is killed beside a split one does not leave a server without an agent', async () => {
  bed.roster({ name: 'a', command: 'sleep 1000' });
  await bed.start('a');
  bed.tmux('a', 'split-window', '-t', 'a', 'sleep 1000');
  bed.tmux('a', 'kill-pane', '-t', '%0');
  await bed.ended('a');
  expect(bed.finish('a')).toBe(1);
  expect(await bed.lastRun('a')).toMatchObject({ status: null, cause: 'ended' });
});

test('nothing of a launch is left running', async () => {
  bed.roster({ name: 'a', command: 'true' });
  await bed.start('a');
  await bed.ended('a');
  bed.finish('a');
  await until(() => processesWith(bed.home).length === 0, SOON);
});
