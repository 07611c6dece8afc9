import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checksumLines } from '../../../deploy/build/checksums.ts';
import { isRunning, stampOf } from '../../../src/cli/install/process-stamp.ts';
import { parseFacts } from '../../../src/cli/ssh/preflight.ts';
import { runRemote } from './run-remote.ts';

let folder: string;
let home: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-remote-'));
  home = join(folder, 'home');
  mkdirSync(home);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const put = (path: string, text: string, mode = 0o644): void => {
  mkdirSync(join(home, path, '..'), { recursive: true });
  writeFileSync(join(home, path), text, { mode });
};
const everything = (): string[] =>
  (readdirSync(home, { recursive: true, withFileTypes: true }) as import('node:fs').Dirent[])
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(home.length + 1))
    .sort();

describe('preflight', () => {
  test('prints exactly what is understood, and changes nothing', async () => {
    put('.bashrc', 'echo noise');
    const { stdout, code } = await runRemote('preflight', {}, { home });
    expect(code).toBe(0);
    expect(parseFacts(stdout)).toMatchObject({ uid: process.getuid?.(), kernel: 'Linux', home, identity: '' });
    expect(everything()).toEqual(['.bashrc']);
  });
  test('tells what of ours is there', async () => {
    put('.local/share/fleet/versions/1.0.0-0123456789ab/VERSION', 'x');
    put('.local/share/fleet/versions/.partial-abc/VERSION', 'x');
    put('.local/share/fleet/runtimes/node-x64-0/bin/node', '', 0o755);
    symlinkSync('versions/1.0.0-0123456789ab', join(home, '.local/share/fleet/current'));
    put('.local/state/fleet/host-agent/identity.json', '{\n  "cell": "home"\n}\n');
    const facts = parseFacts((await runRemote('preflight', {}, { home })).stdout);
    expect(facts).toMatchObject({
      versions: ['1.0.0-0123456789ab'],
      runtimes: ['node-x64-0'],
      current: '1.0.0-0123456789ab',
    });
    expect(JSON.parse(facts.identity)).toEqual({ cell: 'home' });
  });
});

describe('an archive', () => {
  const RUNTIME = 'node-x64-0';
  const ID = '1.0.0-0123456789ab';
  const pack = (): Buffer => {
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, 'lib'), { recursive: true });
    mkdirSync(join(tree, 'bin'), { recursive: true });
    // Larger than any pipe's buffer, so that a cut really cuts.
    writeFileSync(join(tree, 'lib/fleet.mjs'), Array.from({ length: 90_000 }, () => Math.random().toString(36)).join());
    writeFileSync(join(tree, 'bin/fleet'), 'x', { mode: 0o755 });
    writeFileSync(join(tree, 'VERSION'), ID);
    writeFileSync(join(tree, 'SHA256SUMS'), `${checksumLines(tree, ['bin', 'lib']).join('\n')}\n`);
    return execFileSync('tar', ['-C', tree, '-czf', '-', '.'], { maxBuffer: 64 * 1024 * 1024 });
  };
  const sumOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const send = (input: Buffer, sum: string) =>
    runRemote('receive', { KIND: 'version', ID, SUM: sum, RUNTIME }, { home, input });
  const versions = (): string[] => readdirSync(join(home, '.local/share/fleet/versions'));
  beforeEach(() => put(`.local/share/fleet/runtimes/${RUNTIME}/bin/node`, '#!/bin/sh\n', 0o755));

  test('that arrives whole is in place whole, beside its Node.js', async () => {
    const archive = pack();
    expect(await send(archive, sumOf(archive))).toMatchObject({ code: 0 });
    expect(versions()).toEqual([ID]);
    expect(existsSync(join(home, '.local/share/fleet/versions', ID, 'node/bin/node'))).toBe(true);
  });
  test('that was cut off leaves nothing', async () => {
    const archive = pack();
    const result = await send(archive.subarray(0, archive.length - 1_000), sumOf(archive));
    expect(result).toMatchObject({ code: 65, stderr: expect.stringContaining('damaged or cut off') });
    expect(versions()).toEqual([]);
  });
  test('with one wrong bit leaves nothing', async () => {
    const archive = pack();
    const sum = sumOf(archive);
    archive[archive.length >> 1]! ^= 1;
    expect((await send(archive, sum)).code).toBe(65);
    expect(versions()).toEqual([]);
  });
  test('whose files are not those that were built leaves nothing', async () => {
    pack();
    writeFileSync(join(folder, 'tree/bin/fleet'), 'another');
    const archive = execFileSync('tar', ['-C', join(folder, 'tree'), '-czf', '-', '.'], {
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(await send(archive, sumOf(archive))).toMatchObject({ code: 65, stderr: expect.stringContaining('differs') });
    expect(versions()).toEqual([]);
  });
  test('that is there already is not unpacked again', async () => {
    const archive = pack();
    await send(archive, sumOf(archive));
    const { ino } = statSync(join(home, '.local/share/fleet/versions', ID));
    expect((await send(archive, sumOf(archive))).code).toBe(0);
    expect(statSync(join(home, '.local/share/fleet/versions', ID)).ino).toBe(ino);
    expect(readdirSync(join(home, '.local/share/fleet/versions', ID)).sort()).toEqual([
      'SHA256SUMS',
      'VERSION',
      'bin',
      'lib',
      'node',
    ]);
  });
  test('of a Node.js that does not run here leaves nothing', async () => {
    const tree = join(folder, 'node');
    mkdirSync(join(tree, 'bin'), { recursive: true });
    writeFileSync(join(tree, 'bin/node'), 'no program', { mode: 0o755 });
    const archive = execFileSync('tar', ['-C', tree, '-czf', '-', 'bin']);
    const values = { KIND: 'runtime', ID: 'node-x64-1', SUM: sumOf(archive), RUNTIME: '' };
    const result = await runRemote('receive', values, { home, input: archive });
    expect(result).toMatchObject({ code: 65, stderr: expect.stringContaining('does not run on this machine') });
    expect(readdirSync(join(home, '.local/share/fleet/runtimes'))).toEqual([RUNTIME]);
  });
});

describe('authorized_keys', () => {
  const MARK = 'fleet-tunnel:home/dragon-lin:jwoltje';
  const line = (key: string): string =>
    `restrict,port-forwarding,command="mkdir -p -m 700 /r && rm -f /r/s" ssh-ed25519 ${key} ${MARK}`;
  const OTHERS = 'ssh-ed25519 AAAA me@laptop\n# a comment\n\nssh-rsa BBBB fleet-tunnel:home/another:jwoltje\n';
  const keys = (): string => readFileSync(join(home, '.ssh/authorized_keys'), 'utf8');
  const set = (text: string) => runRemote('authorize', { LINE: text, MARK }, { home });

  test('gains our one line and keeps every other', async () => {
    put('.ssh/authorized_keys', OTHERS, 0o600);
    expect((await set(line('K1'))).stdout).toBe('changed\n');
    expect(keys()).toBe(`${OTHERS}${line('K1')}\n`);
    expect((await set(line('K1'))).stdout).toBe('');
    expect(statSync(join(home, '.ssh/authorized_keys')).mode & 0o777).toBe(0o600);
  });
  test('holds our line once when the key changes, and loses it alone', async () => {
    put('.ssh/authorized_keys', OTHERS, 0o600);
    await set(line('K1'));
    await set(line('K2'));
    expect(keys()).toBe(`${OTHERS}${line('K2')}\n`);
    expect((await set('')).stdout).toBe('changed\n');
    expect(keys()).toBe(OTHERS);
    expect((await set('')).stdout).toBe('');
  });
  test('whose last line has no end stays two lines', async () => {
    put('.ssh/authorized_keys', 'ssh-ed25519 AAAA me@laptop', 0o600);
    await set(line('K1'));
    expect(keys()).toBe(`ssh-ed25519 AAAA me@laptop\n${line('K1')}\n`);
  });
  test('goes with its folder where we made them, and only then', async () => {
    await set(line('K1'));
    expect(statSync(join(home, '.ssh')).mode & 0o777).toBe(0o700);
    await set('');
    expect(existsSync(join(home, '.ssh'))).toBe(false);
    put('.ssh/authorized_keys', '', 0o600);
    await set(line('K1'));
    await set('');
    expect(keys()).toBe('');
  });
  test('that is a link stays one', async () => {
    put('keys', OTHERS, 0o600);
    mkdirSync(join(home, '.ssh'));
    symlinkSync('../keys', join(home, '.ssh/authorized_keys'));
    await set(line('K1'));
    expect(readFileSync(join(home, 'keys'), 'utf8')).toContain(line('K1'));
  });
});

describe('removal', () => {
  const OURS = [
    '.local/share/fleet/versions/1.0.0-0123456789ab/VERSION',
    '.local/state/fleet/host-agent/key.pem',
    '.config/fleet/host-policy.json',
    '.cache/fleet/1.0.0-0123456789ab/x',
  ];
  const THEIRS = [
    '.config/mosaic/fleet/roster.yaml',
    '.config/mosaic/fleet/run/canary.hb',
    '.config/systemd/user/mosaic-agent@.service',
    '.local/bin/other',
    '.ssh/authorized_keys',
  ];

  // The user is one who does not exist, so that no run folder and no user manager of this machine is reached.
  let bin: string;
  const remove = (keep: 'yes' | 'no') => runRemote('remove', { KEEP_CONTROLLER: keep }, { home, bin });
  beforeEach(() => {
    bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'id'), '#!/bin/sh\n[ "$1" = -u ] && echo 4000000 || echo nobody-here\n', { mode: 0o755 });
    for (const program of ['systemctl', 'loginctl']) {
      writeFileSync(join(bin, program), `#!/bin/sh\necho "$@" >>${folder}/${program}.calls\n`, { mode: 0o755 });
    }
  });

  test('stops our unit before its file goes, and no other', async () => {
    put('.config/systemd/user/fleet-host-agent.service', 'x');
    put('.config/systemd/user/mosaic-agent@.service', 'x');
    await remove('no');
    const calls = readFileSync(join(folder, 'systemctl.calls'), 'utf8').split('\n');
    expect(calls[0]).toBe('--user disable --now --quiet fleet-host-agent.service');
    expect(calls.join()).not.toContain('mosaic');
    expect(everything()).toEqual(['.config/systemd/user/mosaic-agent@.service']);
  });

  test('takes what is ours and leaves what is not', async () => {
    for (const path of [...OURS, ...THEIRS]) put(path, 'x');
    symlinkSync('../share/fleet/current/bin/fleet', join(home, '.local/bin/fleet'));
    expect((await remove('no')).code).toBe(0);
    expect(everything()).toEqual([...THEIRS].sort());
  });
  test("leaves a program of the user's own that is called fleet", async () => {
    put('.local/bin/fleet', 'mine');
    await remove('no');
    expect(everything()).toEqual(['.local/bin/fleet']);
  });
  test('says nothing where nothing of ours is', async () => {
    for (const path of THEIRS) put(path, 'x');
    expect((await remove('no')).stdout).toBe('');
  });
  test('leaves a controller of that user and takes only the enrolment', async () => {
    for (const path of [...OURS, '.local/state/fleet/controller/ca.key']) put(path, 'x');
    await remove('yes');
    expect(everything()).toContain('.local/state/fleet/controller/ca.key');
    expect(everything()).toContain('.local/share/fleet/versions/1.0.0-0123456789ab/VERSION');
    expect(everything()).not.toContain('.local/state/fleet/host-agent/key.pem');
  });
  test('leaves agents that fleet launches what they run on, until they are gone', async () => {
    const launcher = OURS.filter((path) => path.startsWith('.local/share/fleet/'));
    const launches = ['.local/state/fleet/launch/canary/server.sh', '.local/state/fleet/runs/canary/1.json'];
    const unit = '.config/systemd/user/mosaic-agent@canary.service';
    for (const path of [...OURS, ...THEIRS, ...launches]) put(path, 'x');
    put(unit, '[Unit]\nX-Fleet-Agent=canary\n');
    const { stdout } = await remove('no');
    expect(stdout).toContain('kept the launcher: mosaic-agent@canary.service needs it');
    expect(everything()).toEqual([...THEIRS, unit, ...launcher, ...launches].sort());
    rmSync(join(home, unit));
    await remove('no');
    expect(everything()).toEqual([...THEIRS].sort());
  });
  test('ends the process that the lock names, and none that took its number', async () => {
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
    try {
      const stamp = stampOf(child.pid as number)!;
      const lock = { ...stamp, command: ['sleep'], version: '' };
      put('.local/state/fleet/host-agent.lock', JSON.stringify({ ...lock, startTicks: '1' }));
      await remove('no');
      expect(isRunning(stamp)).toBe(true);
      put('.local/state/fleet/host-agent.lock', JSON.stringify(lock));
      expect((await remove('no')).stdout).toContain('stopped host-agent');
      expect(await ended).toBe('SIGTERM');
    } finally {
      child.kill('SIGKILL');
    }
  });
});

describe('policy', () => {
  const file = '.config/fleet/host-policy.json';
  const run = (VERB: 'show' | 'put', OLD = '', NEW = '') => runRemote('policy', { VERB, OLD, NEW }, { home });

  test('is shown as it is, or as missing', async () => {
    expect((await run('show')).stdout).toBe('missing\n');
    put(file, '{"control": "send",\n "takeover": false}\n');
    expect((await run('show')).stdout).toBe('file\n{"control": "send",\n "takeover": false}\n');
  });

  test('is replaced whole and closed to others, where it is what was shown', async () => {
    expect(await run('put', 'missing', '{"control":"it\'s"}')).toMatchObject({ code: 0 });
    expect(readFileSync(join(home, file), 'utf8')).toBe('{"control":"it\'s"}\n');
    expect(statSync(join(home, file)).mode & 0o777).toBe(0o600);
    expect(await run('put', 'file\n{"control":"it\'s"}', '{}')).toMatchObject({ code: 0 });
    expect(everything()).toEqual([file]);
  });

  test('is left alone where somebody else changed it meanwhile', async () => {
    put(file, '{"control":"observe"}\n');
    expect(await run('put', 'missing', '{"control":"deploy"}')).toMatchObject({
      code: 8,
      stderr: expect.stringContaining('changed by somebody else'),
    });
    expect(readFileSync(join(home, file), 'utf8')).toBe('{"control":"observe"}\n');
  });
});
