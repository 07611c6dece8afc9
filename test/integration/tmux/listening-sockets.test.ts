import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ListeningSockets } from '../../../host-agent/tmux/listening-sockets.ts';

const SOCKET = '/tmp/tmux-0/default';
let procRoot = '';

beforeEach(async () => {
  procRoot = await mkdtemp(join(tmpdir(), 'fleet-proc-'));
  await mkdir(join(procRoot, 'net'));
  const line = `000000008354b7ce: 00000002 00000000 00010000 0001 01 19651 ${SOCKET}`;
  await writeFile(join(procRoot, 'net/unix'), `Num       RefCount Protocol Flags    Type St Inode Path\n${line}\n`);
});

afterEach(() => rm(procRoot, { recursive: true, force: true }));

const holder = async (pid: number, parentPid: number, startTicks: number): Promise<void> => {
  const folder = join(procRoot, String(pid));
  await mkdir(join(folder, 'fd'), { recursive: true });
  await writeFile(join(folder, 'comm'), 'tmux: server\n');
  const fields = ['S', parentPid, ...Array(17).fill(0), startTicks, ...Array(40).fill(0)];
  await writeFile(join(folder, 'stat'), `${pid} (tmux: server) ${fields.join(' ')}\n`);
  await symlink('socket:[19651]', join(folder, 'fd/6'));
};

const read = () => new ListeningSockets({ procRoot, uid: process.getuid?.() ?? 0 }).read();

test.each([
  ['listed after it', 701, 90],
  ['listed before it, as pids begin anew', 12, 90],
  ['of the same tick', 701, 50],
])('a pane that has not yet become its program is not taken for its server: %s', async (_, pane, startTicks) => {
  await holder(700, 1, 50);
  await holder(pane, 700, startTicks);
  expect(read()).toEqual([{ path: SOCKET, server: { pid: 700, startTicks: 50 } }]);
});

test('a socket that no tmux server holds has none', () => {
  expect(read()).toEqual([{ path: SOCKET, server: null }]);
});
