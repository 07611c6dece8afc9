import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checksumLines } from '../../../../deploy/build/checksums.ts';
import { installVersion } from '../../../../src/cli/install/install-version.ts';
import { type InstallLayout, installLayout } from '../../../../src/cli/install/layout.ts';
import type { ShippedVersion } from '../../../../src/cli/install/shipped-version.ts';

let folder: string;
let layout: InstallLayout;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-install-'));
  layout = installLayout(join(folder, 'home'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ship = (id: string, node = 'node of all versions'): ShippedVersion => {
  const root = join(folder, `shipped-${id}`);
  for (const [path, text] of Object.entries({
    'bin/fleet': id,
    'lib/fleet.mjs': id,
    'node/bin/node': node,
    VERSION: id,
  })) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  writeFileSync(join(root, 'SHA256SUMS'), `${checksumLines(root, ['bin', 'lib']).join('\n')}\n`);
  return { root, id, nodeFile: join(root, 'node/bin/node') };
};
const idOf = (n: number): string => `1.0.${n}-00000000000${n}`;

test('a version is whole under its own name, and current and the command lead to it', async () => {
  const { root, changed } = await installVersion(ship(idOf(1)), layout);
  expect(changed).toBe(true);
  expect(readFileSync(join(root, 'node/bin/node'), 'utf8')).toBe('node of all versions');
  expect(readlinkSync(layout.current)).toBe(`versions/${idOf(1)}`);
  expect(readFileSync(layout.command, 'utf8')).toBe(idOf(1));
});

test('a second run changes nothing', async () => {
  await installVersion(ship(idOf(1)), layout);
  const before = lstatSync(layout.current).ino;
  expect((await installVersion(ship(idOf(1)), layout)).changed).toBe(false);
  expect(lstatSync(layout.current).ino).toBe(before);
});

test('versions share one Node.js, and the newest three are kept', async () => {
  for (const n of [1, 2, 3, 4]) {
    await installVersion(ship(idOf(n)), layout);
    utimesSync(join(layout.versions, idOf(n)), n, n);
  }
  expect(readdirSync(layout.versions).sort()).toEqual([2, 3, 4].map(idOf));
  expect(readdirSync(layout.runtimes)).toHaveLength(1);
});

test('a Node.js that no version uses any more goes', async () => {
  for (const n of [1, 2, 3, 4]) {
    await installVersion(ship(idOf(n), `node ${n}`), layout);
    utimesSync(join(layout.versions, idOf(n)), n, n);
  }
  expect(readdirSync(layout.runtimes)).toHaveLength(3);
});

test('an upgrade that was cut off goes back no more once a version is installed on purpose', async () => {
  const pending = join(layout.upgrade, 'pending/current');
  mkdirSync(join(pending, '..'), { recursive: true });
  writeFileSync(pending, `versions/${idOf(1)}\n`);
  await installVersion(ship(idOf(2)), layout);
  expect(existsSync(layout.upgrade)).toBe(false);
});

test('a damaged file is refused and leaves nothing behind', async () => {
  const shipped = ship(idOf(1));
  writeFileSync(join(shipped.root, 'lib/fleet.mjs'), 'something else');
  await expect(installVersion(shipped, layout)).rejects.toMatchObject({ code: 'DATA_LOSS' });
  expect(readdirSync(layout.versions)).toEqual([]);
  expect(() => readlinkSync(layout.current)).toThrow();
});

test("a fleet of the user's own on the PATH stays, and is named", async () => {
  mkdirSync(join(layout.command, '..'), { recursive: true });
  writeFileSync(layout.command, 'mine');
  const { commandNote } = await installVersion(ship(idOf(1)), layout);
  expect(readFileSync(layout.command, 'utf8')).toBe('mine');
  expect(commandNote).toContain(layout.command);
});
