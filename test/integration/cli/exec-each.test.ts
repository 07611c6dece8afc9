import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ExecEach } from '../../../src/cli/records/exec-each.ts';
import { requireProgram } from '../../../src/cli/records/require-program.ts';
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

test('one that is not there, or no program, is told before there is anything for it to do', () => {
  const file = join(folder, 'note');
  writeFileSync(file, '#!/bin/sh\n');
  const env = { PATH: `/nowhere:${folder}` };
  const refusal = (name: string): string => {
    try {
      requireProgram('exec', name, env);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(refusal('/nowhere/note')).toBe('--exec /nowhere/note: there is no such file');
  expect(refusal('noteme')).toBe('--exec noteme: no noteme on your PATH');
  for (const name of ['note', file])
    expect(refusal(name)).toBe(`--exec ${name}: ${file} may not be run: chmod +x ${file}`);
  chmodSync(file, 0o755);
  for (const name of ['note', file]) expect(refusal(name)).toBe('');
  expect(refusal(folder)).not.toBe('');
});

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
