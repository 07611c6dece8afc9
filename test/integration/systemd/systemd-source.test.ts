import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noSystemd } from '../../../host-agent/systemd/no-systemd.ts';
import { SystemdSource } from '../../../host-agent/systemd/source.ts';
import { until } from '../../helpers/until.ts';
import { BusDaemon, ServedManager } from './served-manager.ts';

const CODER = 'mosaic-agent@coder.service';
const HOLDER = 'mosaic-tmux-holder.service';
const OTHER = 'nightly.service';
const SOON = { timeoutMs: 40_000 };

let folder: string;
let stop: AbortController;
let daemon: BusDaemon;
let manager: ServedManager;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-sd-'));
  stop = new AbortController();
  daemon = new BusDaemon(folder);
  manager = new ServedManager(daemon.socket);
});
afterEach(async () => {
  stop.abort();
  manager.stop();
  await daemon.stop();
  rmSync(folder, { recursive: true, force: true });
});

// A rescan so slow that only signals can explain what the tests see.
const started = async (rescanMs = 3_600_000): Promise<SystemdSource> => {
  const source = new SystemdSource({
    user: 'jarvis',
    busPath: daemon.socket,
    systemBusPath: join(folder, 'no-system-bus'),
    lingerFolder: join(folder, 'linger'),
    unitFolder: join(folder, 'units'),
    rescanMs,
  });
  await source.start(stop.signal);
  return source;
};
const stateOf = (source: SystemdSource, name: string) => source.current().units.get(name)?.activeState;

test('without a bus it says so, knows about linger all the same, and finds the bus when it comes', async () => {
  const source = await started();
  expect(source.current()).toEqual({
    problem: `no user manager: the socket is not there (${daemon.socket})`,
    units: new Map(),
    linger: false,
    killUserProcesses: null,
  });
  mkdirSync(join(folder, 'linger'));
  writeFileSync(join(folder, 'linger', 'jarvis'), '');
  await until(() => source.current().linger === true, SOON);
  rmSync(join(folder, 'linger', 'jarvis'));
  await until(() => source.current().linger === false, SOON);

  await daemon.start();
  await until(() => source.current().problem?.includes('org.freedesktop.systemd1'), SOON);
  manager.set(HOLDER, {});
  await manager.start();
  await until(() => stateOf(source, HOLDER) === 'active', SOON);
  expect(source.current().problem).toBeNull();
});

test('a unit is read with all its fields, on disk only or loaded; templates and strangers are not', async () => {
  manager.set(CODER, { fileState: 'disabled' });
  manager.set('mosaic-agent@asleep.service', { loaded: false });
  manager.set('mosaic-agent@.service', { loaded: false });
  manager.set(OTHER, {});
  await daemon.start();
  await manager.start();
  const source = await started();
  expect([...source.current().units.keys()].sort()).toEqual(['mosaic-agent@asleep.service', CODER]);
  expect(source.current().units.get(CODER)).toEqual({
    name: CODER,
    activeState: 'active',
    subState: 'running',
    unitFileState: 'disabled',
    result: 'success',
    mainPid: 7,
    restarts: 2,
    sinceMs: 1_767_225_600_123,
    needsReload: true,
    fragmentPath: '/units/x',
  });
  expect(source.current().units.get('mosaic-agent@asleep.service')).toMatchObject({
    activeState: 'inactive',
    unitFileState: 'enabled',
    mainPid: null,
  });
});

test('each signal leads to a fresh look at the unit that it names, and at no other', async () => {
  manager.set(CODER, {});
  manager.set(OTHER, {});
  await daemon.start();
  await manager.start();
  const source = await started();

  manager.set(CODER, { activeState: 'failed', mainPid: 0 });
  manager.signalChanged(CODER);
  await until(() => stateOf(source, CODER) === 'failed', SOON);
  expect(source.current().units.get(CODER)?.mainPid).toBeNull();

  manager.set(CODER, { activeState: 'activating' });
  manager.signalManager('JobRemoved', 'uoss', [1, '/org/freedesktop/systemd1/job/1', CODER, 'done']);
  await until(() => stateOf(source, CODER) === 'activating', SOON);

  manager.set(HOLDER, {});
  manager.signalManager('UnitNew', 'so', [HOLDER, '/org/freedesktop/systemd1/unit/x']);
  await until(() => stateOf(source, HOLDER) === 'active', SOON);

  manager.set(HOLDER, { loaded: false });
  manager.signalManager('UnitRemoved', 'so', [HOLDER, '/org/freedesktop/systemd1/unit/x']);
  await until(() => stateOf(source, HOLDER) === 'inactive', SOON);

  manager.units.delete(HOLDER);
  manager.set(CODER, { fileState: 'disabled' });
  manager.signalManager('UnitFilesChanged', '', []);
  await until(() => !source.current().units.has(HOLDER), SOON);
  expect(source.current().units.get(CODER)?.unitFileState).toBe('disabled');

  manager.set(CODER, { activeState: 'inactive' });
  manager.signalManager('Reloading', 'b', [false]);
  await until(() => stateOf(source, CODER) === 'inactive', SOON);

  manager.calls.length = 0;
  for (let i = 0; i < 50; i += 1) manager.signalChanged(OTHER);
  manager.set(CODER, { activeState: 'active' });
  manager.signalChanged(CODER);
  await until(() => stateOf(source, CODER) === 'active', SOON);
  expect(manager.calls.filter((call) => call.startsWith('ListUnits'))).toEqual([`ListUnitsByPatterns ${CODER}`]);
});

test('unit files that somebody edits or links are looked at without a signal', async () => {
  manager.set(CODER, {});
  await daemon.start();
  await manager.start();
  const source = await started();
  mkdirSync(join(folder, 'units', 'default.target.wants'), { recursive: true });
  manager.set(CODER, { fileState: 'disabled' });
  writeFileSync(join(folder, 'units', 'default.target.wants', CODER), '');
  await until(() => source.current().units.get(CODER)?.unitFileState === 'disabled', SOON);
  manager.set(CODER, { fileState: 'masked' });
  writeFileSync(join(folder, 'units', 'mosaic-agent@.service'), '# edited');
  await until(() => source.current().units.get(CODER)?.unitFileState === 'masked', SOON);
});

test('units that a roster names are read from the moment they are named', async () => {
  manager.set(OTHER, {});
  await daemon.start();
  await manager.start();
  const source = await started();
  expect(source.current().units.size).toBe(0);
  source.setWanted([OTHER, 'never-there.service']);
  await until(() => stateOf(source, OTHER) === 'active', SOON);
  expect(source.current().units.has('never-there.service')).toBe(false);
  manager.set(OTHER, { activeState: 'failed' });
  manager.signalChanged(OTHER);
  await until(() => stateOf(source, OTHER) === 'failed', SOON);
  source.setWanted([]);
  await until(() => source.current().units.size === 0, SOON);
});

test('a manager that goes takes its units along, and both come back', async () => {
  manager.set(CODER, {});
  await daemon.start();
  await manager.start();
  const source = await started();
  await daemon.stop();
  await until(() => source.current().problem !== null, SOON);
  expect(source.current().units.size).toBe(0);
  await daemon.start();
  await manager.start();
  await until(() => stateOf(source, CODER) === 'active', SOON);

  manager.stop();
  await until(() => source.current().problem !== null, SOON);
  await manager.start();
  await until(() => source.current().problem === null && stateOf(source, CODER) === 'active', SOON);
});

test('a bus that stops answering is given up in words, and met again', async () => {
  manager.set(CODER, {});
  await daemon.start();
  await manager.start();
  const source = await started(100);
  daemon.freeze();
  await until(() => source.current().problem?.includes('no answer within'), SOON);
  daemon.thaw();
  await until(() => stateOf(source, CODER) === 'active', SOON);
});

test('five hundred units are read at the start', async () => {
  for (let i = 0; i < 500; i += 1) manager.set(`mosaic-agent@a${i}.service`, {});
  await daemon.start();
  await manager.start();
  expect((await started()).current().units.size).toBe(500);
});

const listening = async (answer: (socket: Socket) => void): Promise<Server> => {
  const server = createServer((socket) => {
    socket.on('error', () => {}).resume();
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(daemon.socket, resolve));
  return server;
};

test.each<[string, (socket: Socket) => void]>([
  ['hangs up', (socket) => socket.end()],
  ['breaks off', (socket) => void socket.destroy()],
  ['talks nonsense', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['refuses us', (socket) => void socket.on('data', () => socket.write('REJECTED EXTERNAL\r\n'))],
  ['never answers', () => {}],
  [
    'turns to nonsense after the greeting',
    (socket) =>
      void socket.once('data', () => {
        socket.write('OK 0123456789abcdef0123456789abcdef\r\n');
        const header = Buffer.from([0x6c, 2, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0]);
        socket.write(Buffer.concat([header, Buffer.alloc(8, 0xff)]));
      }),
  ],
])('something on the socket that %s is a problem in words, not a crash', async (_, answer) => {
  const server = await listening(answer);
  try {
    const source = await started();
    expect(source.current().problem).toMatch(/^no user manager: .+\(.*bus\)$/);
    expect(source.current().units.size).toBe(0);
  } finally {
    stop.abort();
    await new Promise((resolve) => server.close(resolve));
  }
});

test('after the stop the connection is gone and nothing is heard', async () => {
  manager.set(CODER, {});
  await daemon.start();
  await manager.start();
  const source = await started();
  let changes = 0;
  source.onChange(() => {
    changes += 1;
  });
  stop.abort();
  manager.set(CODER, { activeState: 'failed' });
  manager.signalChanged(CODER);
  await daemon.stop();
  expect(changes).toBe(0);
  expect(source.current().problem).toBeNull();
});

test('an isolated fleet has no units, and says why', async () => {
  const source = noSystemd('an instance has no units');
  await source.start(stop.signal);
  expect(source.current()).toMatchObject({ problem: 'an instance has no units', units: new Map(), linger: null });
});
