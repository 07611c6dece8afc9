import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { LaunchRecords } from '../../../../host-agent/launch/launch-records.ts';
import { preflightJson } from '../../../../host-agent/launch/preflight-file.ts';

const state = mkdtempSync(join(tmpdir(), 'fleet-state-'));
afterAll(() => rmSync(state, { recursive: true, force: true }));
const records = new LaunchRecords({ state });

const AT = Date.UTC(2026, 0, 1);
const put = (folder: string, name: string, text: string): void => {
  mkdirSync(join(state, folder, 'coder'), { recursive: true });
  writeFileSync(join(state, folder, 'coder', name), text);
};

test('what a preflight found is told of the start that it was for, and of no later one', async () => {
  expect(await records.hindrance('coder', AT)).toBeNull();
  const problems = ['pi is nowhere', 'no folder'].map((words) => ({ code: 'binary', words }) as never);
  put('launch', 'preflight', preflightJson({ agent: 'coder', atMs: AT, problems, warnings: [] }));
  expect(await records.hindrance('coder', AT)).toBe('pi is nowhere; no folder');
  expect(await records.hindrance('coder', AT + 1)).toBeNull();
  put('launch', 'preflight', preflightJson({ agent: 'coder', atMs: AT, problems: [], warnings: problems }));
  expect(await records.hindrance('coder', AT)).toBeNull();
});

test('runs come with a way to their lines', async () => {
  const said = { started_ms: 5, ended_ms: 9, status: 1, signal: null, cause: 'ended', lines: true };
  put('runs', '5.json', JSON.stringify(said));
  put('runs', '5.txt', 'one\ntwo\n');
  const [run] = await records.runs('coder');
  expect(await run?.lines()).toEqual(['one', 'two']);
  expect(await records.lastRun('coder')).toMatchObject({ startedMs: 5, status: 1 });
});
