import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkSocket } from '../../../host-agent/tmux/socket-safety.ts';

const UID = process.getuid!();
let top: string;
let folder: string;
let path: string;
let server: ReturnType<typeof createServer>;

beforeEach(async () => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'fleet-safe-')));
  folder = join(top, 'folder');
  mkdirSync(folder, { mode: 0o700 });
  path = join(folder, 'sock');
  server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  chmodSync(path, 0o770);
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(top, { recursive: true, force: true });
});

const verdict = (at = path, uid = UID) => checkSocket(at, uid).verdict;

test('a socket in a closed folder of ours is safe whatever its own mode', () => {
  expect(checkSocket(path, UID)).toEqual({ verdict: 'safe', path });
});

test('in an open folder the socket itself must be closed, and nobody else may replace it', () => {
  chmodSync(folder, 0o755);
  expect(verdict()).toBe('unsafe');
  chmodSync(path, 0o700);
  expect(verdict()).toBe('safe');
  chmodSync(folder, 0o775);
  expect(verdict()).toBe('unsafe');
  chmodSync(folder, 0o1777);
  expect(verdict()).toBe('safe');
});

test('a folder above that others can write to makes it unsafe, unless it is sticky', () => {
  chmodSync(top, 0o777);
  expect(verdict()).toBe('unsafe');
  chmodSync(top, 0o1777);
  expect(verdict()).toBe('safe');
});

test('a symlink is unsafe as socket and as folder, and resolved above', () => {
  symlinkSync(path, join(folder, 'link'));
  expect(verdict(join(folder, 'link'))).toBe('unsafe');
  symlinkSync(folder, join(top, 'alias'));
  expect(verdict(join(top, 'alias', 'sock'))).toBe('unsafe');
  const above = `${top}-alias`;
  symlinkSync(top, above);
  try {
    expect(checkSocket(join(above, 'folder', 'sock'), UID)).toEqual({ verdict: 'safe', path });
  } finally {
    rmSync(above);
  }
});

test("another user's socket is unsafe; a plain file or nothing is no socket", () => {
  expect(verdict(path, UID + 1)).toBe('unsafe');
  writeFileSync(join(folder, 'file'), '');
  expect(verdict(join(folder, 'file'))).toBe('gone');
  expect(verdict(join(folder, 'none'))).toBe('gone');
});
