import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ExecEach } from '../../../src/cli/records/exec-each.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
let folder: string;
let told: string;
let leaving: AbortController;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-each-'));
  told = '';
  leaving = new AbortController();
});

afterEach(() => {
  leaving.abort();
  rmSync(folder, { recursive: true, force: true });
});

/** Leaves a file named by its record, and stays until there is one named `go`. */
const staying = 'read record; touch "$0/$record"; until [ -e "$0/go" ]; do sleep 0.05; done';
const each = (script: string, over = {}): ExecEach =>
  new ExecEach({
    argv: ['sh', '-c', script, folder],
    tell: (text) => {
      told += text;
    },
    signal: leaving.signal,
    ...over,
  });
const begun = (): number => readdirSync(folder).filter((name) => name.startsWith('r')).length;

test('so many run at once; the next is waited for, and none is skipped', async () => {
  const programs = each(staying, { atOnce: 2 });
  let given = 0;
  const giving = (async () => {
    for (const record of ['r1', 'r2', 'r3']) {
      await programs.give(record);
      given += 1;
    }
  })();
  await until(() => begun() === 2, SOON);
  expect(given).toBe(2);
  writeFileSync(join(folder, 'go'), '');
  await giving;
  await programs.over();
  expect([begun(), programs.failures, told]).toEqual([3, 0, '']);
});

test('one that is not over in time is ended, and that is said', async () => {
  const programs = each(staying, { timeoutMs: 300 });
  await programs.give('r1');
  await programs.over();
  expect(programs.failures).toBe(1);
  expect(told).toBe('fleet: sh failed (not over within 0.3 s)\n');
});

test('what it prints is told, and how it failed', async () => {
  const programs = each('cat; echo oops >&2; exit 3');
  await programs.give('{"kind":"up"}');
  await programs.over();
  expect(told).toBe('{"kind":"up"}\noops\nfleet: sh failed (exit 3)\n');
});
