import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type InstallLayout, installLayout } from '../../../../src/cli/install/layout.ts';
import { pruneVersions } from '../../../../src/cli/install/prune-versions.ts';

let home: string;
let layout: InstallLayout;
/** Where the processes of the test stand. */
let proc: string;

const idOf = (n: number): string => `1.0.${n}-00000000000${n}`;
const put = (file: string, text: string): void => {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
};

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'fleet-prune-'));
  layout = installLayout(home);
  proc = join(home, 'proc');
  mkdirSync(proc);
  for (const n of [1, 2, 3, 4, 5, 6, 7]) {
    put(join(layout.versions, idOf(n), 'VERSION'), idOf(n));
    put(join(layout.runtimes, `node-${n}/bin/node`), '');
    put(join(layout.compileCaches, idOf(n), 'x'), '');
    symlinkSync(`../../runtimes/node-${n}`, join(layout.versions, idOf(n), 'node'));
    utimesSync(join(layout.versions, idOf(n)), n, n);
  }
  symlinkSync(`versions/${idOf(7)}`, layout.current);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test('three versions stay, the newest, and each with its Node.js; what the others had goes with them', async () => {
  expect(await pruneVersions(layout, proc)).toEqual([1, 2, 3, 4].map(idOf));
  expect(readdirSync(layout.versions).sort()).toEqual([5, 6, 7].map(idOf));
  expect(readdirSync(layout.runtimes).sort()).toEqual(['node-5', 'node-6', 'node-7']);
  expect(readdirSync(layout.compileCaches).sort()).toEqual([5, 6, 7].map(idOf));
});

test('a version that runs, that a unit starts, that an agent was launched by, or that leads back stays, however old', async () => {
  put(join(proc, '10/cmdline'), `node\0/home/u/.local/share/fleet/versions/${idOf(1)}/lib/host-agent.mjs\0`);
  put(join(proc, '11/environ'), `PATH=/bin\0MOSAIC_FLEET_LAUNCHER=${idOf(2)}\0`);
  put(join(layout.units, 'fleet-host-agent.service'), `ExecStart=%h/.local/share/fleet/versions/${idOf(3)}/bin/x\n`);
  put(join(layout.upgrade, 'pending/current'), `versions/${idOf(4)}\n`);
  expect(await pruneVersions(layout, proc)).toEqual([idOf(5)]);
  expect(readdirSync(layout.versions).sort()).toEqual([1, 2, 3, 4, 6, 7].map(idOf));
  expect(existsSync(join(layout.runtimes, 'node-1/bin/node'))).toBe(true);
});

test('with one in use and nothing else there, nothing goes', async () => {
  for (const n of [1, 2, 3, 4, 5, 6]) rmSync(join(layout.versions, idOf(n)), { recursive: true });
  expect(await pruneVersions(layout, proc)).toEqual([]);
  expect(readdirSync(layout.versions)).toEqual([idOf(7)]);
});
