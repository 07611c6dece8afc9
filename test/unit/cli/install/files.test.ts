import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keepDaemonSetting, readDaemonSettings } from '../../../../src/cli/install/daemon-settings.ts';
import { readEnrolment } from '../../../../src/cli/install/enrolment.ts';
import { exclusively } from '../../../../src/cli/install/exclusive.ts';
import { hostPolicyFile, settleHostPolicy } from '../../../../src/cli/install/host-policy.ts';
import { isRunning, stampOf } from '../../../../src/cli/install/process-stamp.ts';
import { pointLink, writeIfDifferent } from '../../../../src/cli/install/write-file.ts';
import { type Paths, resolvePaths } from '../../../../src/runtime/paths.ts';

let home: string;
let paths: Paths;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'fleet-files-'));
  paths = resolvePaths({ home, uid: 4_000_000, env: {} });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe('a file', () => {
  test('is written once and left alone when it says the same', async () => {
    const file = join(home, 'a/b');
    expect(await writeIfDifferent(file, 'x', 0o600)).toBe(true);
    const { ino } = statSync(file);
    expect(await writeIfDifferent(file, 'x', 0o600)).toBe(false);
    expect(statSync(file).ino).toBe(ino);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
  test('is written anew when others may read it and should not', async () => {
    const file = join(home, 'secret');
    await writeIfDifferent(file, 'x', 0o600);
    chmodSync(file, 0o644);
    expect(await writeIfDifferent(file, 'x', 0o600)).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
  test('leaves no half of itself behind', async () => {
    await writeIfDifferent(join(home, 'x'), '1', 0o600);
    await writeIfDifferent(join(home, 'x'), '2', 0o600);
    expect(readdirSync(home)).toEqual(['x']);
  });
});

describe('a link', () => {
  test('is turned, and not touched when it points there', async () => {
    const link = join(home, 'current');
    expect(await pointLink(link, 'one')).toBe(true);
    expect(await pointLink(link, 'one')).toBe(false);
    expect(await pointLink(link, 'two')).toBe(true);
    expect(readlinkSync(link)).toBe('two');
  });
  test('never replaces what is no link', async () => {
    writeFileSync(join(home, 'current'), 'mine');
    await expect(pointLink(join(home, 'current'), 'x')).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(join(home, 'current'), 'utf8')).toBe('mine');
  });
});

describe('a process', () => {
  test('is itself, and another start with its number is not', () => {
    const stamp = stampOf(process.pid)!;
    expect(isRunning(stamp)).toBe(true);
    expect(isRunning({ ...stamp, startTicks: String(Number(stamp.startTicks) + 1) })).toBe(false);
    expect(isRunning({ ...stamp, bootId: 'another boot' })).toBe(false);
  });
});

describe('a change of the installation', () => {
  test('keeps a second one out while it runs', async () => {
    await exclusively(paths, async () => {
      await expect(exclusively(paths, async () => 1)).rejects.toMatchObject({ code: 'ABORTED' });
    });
    expect(await exclusively(paths, async () => 2)).toBe(2);
  });
  test('takes over the lock of a run that was killed', async () => {
    await exclusively(paths, async () => {
      writeFileSync(join(paths.state, 'install.lock'), JSON.stringify({ ...stampOf(process.pid), startTicks: '1' }));
      expect(await exclusively(paths, async () => 3)).toBe(3);
    });
  });
});

describe("a daemon's settings", () => {
  test('keep what else stands in the file', async () => {
    await keepDaemonSetting(paths, 'controller', 'FLEET_PORT', '7000');
    expect(await keepDaemonSetting(paths, 'controller', 'FLEET_CELL', 'home')).toBe(true);
    expect(await keepDaemonSetting(paths, 'controller', 'FLEET_CELL', 'home')).toBe(false);
    expect(await readDaemonSettings(paths, 'controller')).toEqual({ FLEET_PORT: '7000', FLEET_CELL: 'home' });
  });
  test('are taken out one by one', async () => {
    await keepDaemonSetting(paths, 'controller', 'FLEET_PORT', '7000');
    await keepDaemonSetting(paths, 'controller', 'FLEET_CELL', 'home');
    expect(await keepDaemonSetting(paths, 'controller', 'FLEET_PORT', null)).toBe(true);
    expect(await readDaemonSettings(paths, 'controller')).toEqual({ FLEET_CELL: 'home' });
    await keepDaemonSetting(paths, 'controller', 'FLEET_CELL', null);
    expect(await readDaemonSettings(paths, 'controller')).toEqual({});
  });
  test.each(['a"b', 'a$b', 'a\\b', 'a\nb', 'a`b'])(
    'refuse %j, which systemd and sh would read differently',
    async (value) => {
      await expect(keepDaemonSetting(paths, 'controller', 'X', value)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    },
  );
});

describe('the host policy', () => {
  test('is lifecycle unless asked, and then stays as it is', async () => {
    expect((await settleHostPolicy(paths, undefined)).state).toBe('done');
    expect(JSON.parse(readFileSync(hostPolicyFile(paths), 'utf8'))).toEqual({
      control: 'lifecycle',
      federated: 'observe',
    });
    await settleHostPolicy(paths, 'observe');
    expect((await settleHostPolicy(paths, undefined)).state).toBe('unchanged');
    expect(JSON.parse(readFileSync(hostPolicyFile(paths), 'utf8'))).toMatchObject({ control: 'observe' });
    expect(lstatSync(hostPolicyFile(paths)).mode & 0o777).toBe(0o600);
  });
});

describe('an enrolment', () => {
  test('is none where there is no file, and an error where the file is damaged', async () => {
    expect(await readEnrolment(paths)).toBeNull();
    await writeIfDifferent(join(paths.state, 'host-agent/identity.json'), '{"cell":', 0o600);
    await expect(readEnrolment(paths)).rejects.toMatchObject({ code: 'DATA_LOSS' });
  });
});
