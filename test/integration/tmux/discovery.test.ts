import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Discovery } from '../../../host-agent/tmux/discovery.ts';

/** A machine's /proc of the test's own, and a folder with one socket on which somebody really listens. */
let root: string;
let folder: string;
let listener: Server;
const socket = (): string => join(folder, 'default');

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'fleet-proc-'));
  folder = join(root, 'tmux');
  mkdirSync(folder, { mode: 0o700 });
  mkdirSync(join(root, 'net'));
  writeFileSync(join(root, 'net/unix'), '');
  listener = createServer((connection) => connection.on('error', () => undefined));
  await new Promise<void>((resolve) => listener.listen(socket(), resolve));
});
afterEach(async () => {
  await new Promise((resolve) => listener.close(resolve));
  rmSync(root, { recursive: true, force: true });
});

/** From now on /proc tells of a tmux server that listens there. */
const tellOfServer = (pid: number, startTicks: number): void => {
  mkdirSync(join(root, `${pid}/fd`), { recursive: true });
  writeFileSync(join(root, `${pid}/comm`), 'tmux: server\n');
  const fields = ['S', 1, ...Array(17).fill(0), startTicks, ...Array(40).fill(0)];
  writeFileSync(join(root, `${pid}/stat`), `${pid} (tmux: server) ${fields.join(' ')}\n`);
  symlinkSync('socket:[19651]', join(root, `${pid}/fd/6`));
  const line = `000000008354b7ce: 00000002 00000000 00010000 0001 01 19651 ${socket()}`;
  writeFileSync(join(root, 'net/unix'), `Num       RefCount Protocol Flags    Type St Inode Path\n${line}\n`);
};
const discovery = () => new Discovery({ folder, within: null, uid: process.getuid?.() ?? 0, procRoot: root });

test('a server that begins to listen while it is looked for is found with its process: it is the same one later on', async () => {
  const found = discovery();
  const looking = found.look();
  tellOfServer(700, 50);
  const first = await looking;
  expect(first).toEqual({
    servers: [{ socket: socket(), pid: 700, startTicks: 50, unreachable: null }],
    unsettled: false,
  });
  expect(await found.look()).toEqual(first);
});

test('one of which this machine’s /proc does not tell is found without a process', async () => {
  const { servers } = await discovery().look();
  expect(servers).toEqual([{ socket: socket(), pid: null, startTicks: null, unreachable: null }]);
});
