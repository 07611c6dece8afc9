import { describe, expect, test } from 'vitest';
import { type MachineFacts, obstacles, parseFacts, systemNode } from '../../../../src/cli/ssh/preflight.ts';

const PRINTED: Record<string, string> = {
  uid: '1000',
  user: 'jwoltje',
  home: '/home/jwoltje',
  hostname: 'dragon-lin',
  machine_id: '0123456789abcdef0123456789abcdef',
  kernel: 'Linux',
  machine: 'x86_64',
  libc: 'glibc 2.36',
  tmux: 'tmux 3.3a',
  tool_tar: 'yes',
  tool_gzip: 'yes',
  tool_sha256sum: 'yes',
  tool_mktemp: 'yes',
  disk_kib: '1432000',
  clock_seconds: '1795477238',
  ssh_connection: '10.0.0.1 50000 10.0.0.2 22',
  systemd: 'yes',
  user_manager: 'yes',
  linger: 'no',
  runtime_dir: '/run/user/1000',
  versions: '',
  runtimes: 'node-x64-0123456789abcdef node-of-this-machine',
  current: '',
  controller: 'no',
  identity: '',
  policy: '',
  unit_sha256: '',
  unit_active: 'inactive',
  upgrading: 'no',
  end: 'yes',
};
const text = (changes: Record<string, string> = {}): string =>
  Object.entries({ ...PRINTED, ...changes })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
const facts = (changes: Record<string, string> = {}): MachineFacts => parseFacts(text(changes));

describe('what the preflight printed', () => {
  test('becomes facts of known shape', () => {
    expect(facts()).toMatchObject({ uid: 1000, user_manager: true, linger: false, disk_kib: 1432000, versions: [] });
    expect(facts().runtimes).toEqual(['node-x64-0123456789abcdef', 'node-of-this-machine']);
  });
  test('is refused when it is cut off anywhere', () => {
    const lines = text().split('\n').slice(0, -1);
    for (let kept = 0; kept < lines.length; kept += 1) {
      expect(() => parseFacts(lines.slice(0, kept).join('\n'))).toThrow(/cannot be read/);
    }
  });
  test.each([
    ['an unknown fact', `${text()}surprise=1\n`],
    ['a fact told twice', `uid=0\n${text()}`],
    ['a line without a fact', `Welcome to dragon-lin!\n${text()}`],
    ['a user name that is none', text({ user: 'a b; rm' })],
    ['a number that is none', text({ uid: '-1' })],
    ['a hostname with a slash', text({ hostname: 'a/b' })],
  ])('is refused with %s', (_, answer) => {
    expect(() => parseFacts(answer)).toThrow(/cannot be read/);
  });
  test('may lack the free space', () => {
    expect(facts({ disk_kib: '' }).disk_kib).toBeNull();
  });
});

describe('what stands in the way', () => {
  test('is nothing on an ordinary machine', () => {
    expect(obstacles(facts())).toEqual([]);
  });
  test.each([
    [{ uid: '0' }, /root/],
    [{ kernel: 'Darwin' }, /Darwin/],
    [{ machine: 'riscv64' }, /riscv64/],
    [{ tmux: '' }, /no tmux/],
    [{ tmux: 'tmux 3.1c' }, /3\.2/],
    [{ tool_sha256sum: 'no' }, /sha256sum/],
    [{ libc: 'glibc 2.17' }, /2\.28/],
    [{ libc: '' }, /not glibc/],
    [{ disk_kib: '1000' }, /free/],
  ])('%j is named', (changes, words) => {
    const found = obstacles(facts(changes as Record<string, string>));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(words);
  });
  test.each(['tmux 3.2', 'tmux 3.2a', 'tmux 3.5a', 'tmux next-3.6', 'tmux 10.0'])('%s is new enough', (tmux) => {
    expect(obstacles(facts({ tmux }))).toEqual([]);
  });
  test('an old C library is none where Node.js 24 is there already', () => {
    expect(obstacles(facts({ libc: '', system_node: '/usr/bin/node v24.3.0' }))).toEqual([]);
  });
});

test.each([
  ['/usr/bin/node v24.3.0', '/usr/bin/node'],
  ['/usr/bin/node v22.1.0', null],
  ['/usr/bin/node v240.1.0', null],
  ['/usr/bin/node ', null],
  ['', null],
])('a Node.js of the machine %j is used as %j', (printed, used) => {
  expect(systemNode(facts({ system_node: printed }))).toBe(used);
});
