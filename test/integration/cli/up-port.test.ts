import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keepDaemonSetting, readDaemonSettings } from '../../../src/cli/install/daemon-settings.ts';
import { DetachedDaemons } from '../../../src/cli/install/daemons.ts';
import { askStatus } from '../../../src/cli/install/local-fleet.ts';
import { startController } from '../../../src/cli/install/start-fleet.ts';
import { Steps } from '../../../src/cli/install/steps.ts';
import { type Paths, resolvePaths } from '../../../src/runtime/paths.ts';
import { runFleetProgram } from '../../helpers/fleet-program.ts';
import { freePort } from '../../helpers/free-port.ts';
import { until } from '../../helpers/until.ts';

const CONTROLLER = join(import.meta.dirname, '../../../controller/main.ts');
let home: string;
let paths: Paths;
let daemons: DetachedDaemons;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'fleet-up-'));
  paths = resolvePaths({ instance: `t${randomBytes(6).toString('hex')}`, home, env: {} });
  const program = join(home, 'fleet-controller');
  writeFileSync(program, `#!/bin/sh\nHOME='${home}' exec '${process.execPath}' '${CONTROLLER}' "$@"\n`);
  chmodSync(program, 0o755);
  daemons = new DetachedDaemons(paths, { bin: home, versionId: 'one' });
});
afterEach(async () => {
  await daemons.stop('controller');
  rmSync(paths.run, { recursive: true, force: true });
  rmSync(home, { recursive: true, force: true });
});

const up = (port?: number, cell?: string): Promise<void> => {
  const steps = new Steps(new PassThrough() as unknown as NodeJS.WriteStream);
  const context = { paths, steps, signal: AbortSignal.timeout(60_000) };
  return startController(context, daemons, {
    ...(port === undefined ? {} : { port }),
    ...(cell === undefined ? {} : { cell }),
  });
};
const portNow = async (): Promise<number> => Number((await askStatus(paths)).listening[0]?.split(':').at(-1));
const pid = (): number => JSON.parse(readFileSync(join(paths.state, 'controller.lock'), 'utf8')).pid;

test.each([
  ['none', null],
  ['another', '7000'],
])('a port that is not the stored one is refused and nothing is changed, with %s set before', async (_name, before) => {
  await up(await freePort());
  const port = await portNow();
  await daemons.stop('controller');
  await keepDaemonSetting(paths, 'controller', 'FLEET_PORT', before);
  const settings = await readDaemonSettings(paths, 'controller');
  await expect(up(port === 65_535 ? port - 1 : port + 1)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining(`127.0.0.1:${port} and keeps its port`),
  });
  await expect(up(port, 'other')).rejects.toMatchObject({ message: expect.stringContaining('keeps its name') });
  expect(await readDaemonSettings(paths, 'controller')).toEqual(settings);
  expect(await daemons.isRunning('controller')).toBe(false);
  await up();
  expect(await portNow()).toBe(port);
});

test('another cell’s name is refused before a stopped controller is started', async () => {
  await up();
  await daemons.stop('controller');
  const log = () => readFileSync(join(paths.state, 'log/controller.log'), 'utf8');
  const before = log();
  await expect(up(undefined, 'other')).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: "this controller's cell is home and keeps its name: leave out --cell",
  });
  expect(log()).toBe(before);
});

test('what can be no cell’s name is refused in its own words, and nothing is made', async () => {
  expect(
    await runFleetProgram(['--instance', paths.instance ?? '', 'up', '--cell', 'Bad Name'], { HOME: home }),
  ).toEqual({
    code: 2,
    stdout: '',
    stderr: 'fleet: --cell "Bad Name": 1 to 63 of a-z 0-9 . -, beginning and ending with a letter or digit\n',
  });
  expect(existsSync(paths.state)).toBe(false);
});

describe('a first start that fails', () => {
  const taken = async (use: (port: number) => Promise<void>): Promise<void> => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    await use((other.address() as AddressInfo).port);
    await new Promise((resolve) => other.close(resolve));
  };
  const folder = () => join(paths.state, 'controller');

  test('takes back what it made, so that the next one begins as it did', async () => {
    await taken(async (port) => {
      await expect(up(port, 'other')).rejects.toMatchObject({ message: expect.stringMatching(/is taken by another/) });
    });
    expect(await daemons.isRunning('controller')).toBe(false);
    expect([existsSync(folder()), existsSync(join(paths.config, 'fleet-controller.env'))]).toEqual([false, false]);
    await up();
    expect((await askStatus(paths)).cell).toBe('home');
  });

  test('leaves what was there before: settings, and a folder', async () => {
    await keepDaemonSetting(paths, 'controller', 'FLEET_LOG_LEVEL', 'debug');
    const settings = await readDaemonSettings(paths, 'controller');
    await taken(async (port) => void (await expect(up(port, 'other')).rejects.toThrow()));
    expect(await readDaemonSettings(paths, 'controller')).toEqual(settings);
    mkdirSync(folder(), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder(), 'mine'), '');
    await taken(async (port) => void (await expect(up(port)).rejects.toThrow()));
    expect(existsSync(join(folder(), 'mine'))).toBe(true);
  });
});

/** Connections to the controller that it has not taken yet: the kernel tells them without an inode. */
const untaken = (): number =>
  readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(` 0 ${paths.adminSocket}`)).length;

test('a controller that is slow to answer is waited for, not started anew', async () => {
  await up();
  const port = await portNow();
  const running = pid();
  process.kill(running, 'SIGSTOP');
  try {
    const again = up(port);
    again.catch(() => undefined);
    // The first question was given up, and another one is asked.
    await until(() => untaken() > 1, { timeoutMs: 30_000 });
    process.kill(running, 'SIGCONT');
    await again;
  } finally {
    process.kill(pid(), 'SIGCONT');
  }
  expect(pid()).toBe(running);
  expect(await readDaemonSettings(paths, 'controller')).toEqual({});
});
