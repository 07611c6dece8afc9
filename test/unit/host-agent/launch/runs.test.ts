import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readLastRun, readRunLines, readRuns } from '../../../../host-agent/launch/runs.ts';

const runs = mkdtempSync(join(tmpdir(), 'fleet-runs-'));
afterAll(() => rmSync(runs, { recursive: true, force: true }));

const folderOf = (agent: string): string => {
  mkdirSync(join(runs, agent), { recursive: true });
  return join(runs, agent);
};
const record = (agent: string, startedMs: number, over: object = {}): void => {
  const said = {
    started_ms: startedMs,
    ended_ms: startedMs + 5,
    status: 0,
    signal: null,
    cause: 'ended',
    lines: false,
  };
  writeFileSync(join(folderOf(agent), `${startedMs}.json`), JSON.stringify({ ...said, ...over }));
};

test('the runs of an agent are told newest first, by when they began', async () => {
  for (const at of [900, 10_000, 2_000]) record('a', at);
  expect((await readRuns(runs, 'a')).map(({ startedMs }) => startedMs)).toEqual([10_000, 2_000, 900]);
  expect(await readLastRun(runs, 'a')).toEqual({
    agent: 'a',
    startedMs: 10_000,
    endedMs: 10_005,
    status: 0,
    signal: null,
    cause: 'ended',
    linesFile: null,
  });
});

test('its last lines are there where they were kept', async () => {
  record('b', 1, { lines: true, status: null, signal: 'SIGKILL' });
  writeFileSync(join(folderOf('b'), '1.txt'), 'one\n\n  two\n');
  const run = (await readLastRun(runs, 'b'))!;
  expect(run).toMatchObject({ signal: 'SIGKILL', status: null });
  expect(await readRunLines(run)).toEqual(['one', '', '  two']);
  rmSync(join(runs, 'b', '1.txt'));
  expect(await readRunLines(run)).toBeNull();
});

test('an agent that never ended has no runs', async () => {
  expect(await readRuns(runs, 'none')).toEqual([]);
  expect(await readLastRun(runs, 'none')).toBeNull();
});

test('what is no record is passed over: half a file, a link, a cause or a signal of somebody else’s', async () => {
  record('c', 5);
  record('c', 6, { cause: 'vanished' });
  record('c', 7, { started_ms: '7' });
  record('c', 8, { signal: '\u001b[31m', status: 1.5 });
  writeFileSync(join(folderOf('c'), '9.json'), '{"started_ms": 9');
  symlinkSync(join(runs, 'c', '5.json'), join(runs, 'c', '10.json'));
  writeFileSync(join(folderOf('c'), 'x.json'), '{}');
  const read = await readRuns(runs, 'c');
  expect(read.map(({ startedMs }) => startedMs)).toEqual([8, 5]);
  expect(read[0]).toMatchObject({ signal: null, status: null });
});
