import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepDaemonSetting, readDaemonSettings } from '../../../src/cli/install/daemon-settings.ts';
import { DetachedDaemons } from '../../../src/cli/install/daemons.ts';
import { askStatus } from '../../../src/cli/install/local-fleet.ts';
import { startController } from '../../../src/cli/install/start-fleet.ts';
import { Steps } from '../../../src/cli/install/steps.ts';
import { type Paths, resolvePaths } from '../../../src/runtime/paths.ts';
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
