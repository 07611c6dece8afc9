import { describe, expect, test } from 'vitest';
import {
  parseBootMs,
  parseCgroup,
  parseCmdline,
  parsePageBytes,
  parseStat,
} from '../../../../host-agent/process/stat.ts';

const REST = 'S 10 20 30 34816 40 4194304 1 2 3 4 50 7 8 9 20 0 11 0 12345 999 60 18446744073709551615 1 1 0';

describe('stat', () => {
  test.each(['node', 'tmux: server', 'a) S (b', '((sd-pam))', ''])(
    'a process named %j does not shift the fields',
    (comm) => {
      expect(parseStat(`7 (${comm}) ${REST}`)).toEqual({
        pid: 7,
        comm,
        state: 'S',
        ppid: 10,
        pgid: 20,
        tpgid: 40,
        cpuTicks: 57,
        startTicks: 12_345,
        rssPages: 60,
      });
    },
  );

  test.each(['', '7', '7 (x', '7 (x) S 1 2', 'x (y) S a b'])('%j is no stat', (text) => {
    expect(parseStat(text)).toBeNull();
  });
});

test('a command line keeps empty arguments inside, not the blank rest of a title', () => {
  expect(parseCmdline('node\0\0x y\0')).toEqual(['node', '', 'x y']);
  expect(parseCmdline('pi\0\0\0\0\0')).toEqual(['pi']);
  expect(parseCmdline('')).toEqual([]);
});

test.each([
  ['0::/user.slice/user-1000.slice/session-3.scope\n', '/user.slice/user-1000.slice/session-3.scope'],
  ['9:name=systemd:/a\n4:memory:/b\n0::/c\n', '/a'],
  ['4:memory:/b\n3:cpu,cpuacct:/b\n', null],
  [
    '11:name=systemd:/user.slice/user-1000.slice/session-3.scope\n4:memory:/user.slice\n0::/\n',
    '/user.slice/user-1000.slice/session-3.scope',
  ],
  ['0::/user.slice/user-1000.slice/session-3.scope\n1:name=systemd:/\n', '/user.slice/user-1000.slice/session-3.scope'],
  [
    '1:name=systemd:/docker/4f\n0::/user.slice/user@1000.service/app.slice/other.service\n',
    '/user.slice/user@1000.service/app.slice/other.service',
  ],
  ['1:name=systemd:/\n0::/\n', '/'],
  ['0::/odd:name with:colons\n', '/odd:name with:colons'],
  ['', null],
])('of the hierarchies %j systemd names %j', (text, path) => {
  expect(parseCgroup(text)).toBe(path);
});

test('boot time is in whole seconds', () => {
  expect(parseBootMs('cpu 1 2\nbtime 1767225600\nprocesses 5\n')).toBe(1_767_225_600_000);
  expect(parseBootMs('cpu 1 2\n')).toBeNull();
});

test('the page size is looked up, not assumed', () => {
  const auxv = Buffer.alloc(48);
  auxv.writeBigUInt64LE(33n, 0);
  auxv.writeBigUInt64LE(6n, 16);
  auxv.writeBigUInt64LE(65_536n, 24);
  expect(parsePageBytes(auxv)).toBe(65_536);
  expect(parsePageBytes(auxv.subarray(0, 16))).toBeNull();
});
