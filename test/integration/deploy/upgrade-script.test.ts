/** The far side of `fleet host upgrade`, step by step and cut off between them, in a home of its own. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DetachedProcess } from '../../../src/cli/install/detached.ts';
import { scriptText } from '../../../src/cli/ssh/remote-script.ts';
import { resolvePaths } from '../../../src/runtime/paths.ts';
import { until } from '../../helpers/until.ts';
import { runRemote } from './run-remote.ts';

const [OLD, NEW, NEWER] = ['1.0.0-00000000000a', '1.0.1-00000000000b', '1.0.2-00000000000c'] as const;
const SOON = { timeoutMs: 60_000 };

let folder: string;
let home: string;
let bin: string;
let hostAgent: DetachedProcess;

const put = (path: string, text: string, mode = 0o644): void => {
  mkdirSync(join(home, path, '..'), { recursive: true });
  writeFileSync(join(home, path), text, { mode });
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-upgrade-'));
  home = join(folder, 'home');
  bin = join(folder, 'bin');
  mkdirSync(bin);
  // A user who does not exist: no run folder and no user manager of this machine is reached.
  const program = (name: string, text: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  program('id', 'echo 4000000');
  program('systemctl', `echo "$@" >>${folder}/calls`);
  program('systemd-run', `echo systemd-run "$@" >>${folder}/calls`);
  for (const id of [OLD, NEW, NEWER]) {
    const text = `#!/bin/sh\necho "$FLEET_LOG_LEVEL" >${folder}/level-${id}\nexec sleep 600\n`;
    put(`.local/share/fleet/versions/${id}/bin/fleet-host-agent`, text, 0o755);
  }
  symlinkSync(`versions/${OLD}`, join(home, '.local/share/fleet/current'));
  put('.config/fleet/fleet-host-agent.env', 'FLEET_LOG_LEVEL="debug"\n');
  mkdirSync(join(home, '.local/state/fleet'), { recursive: true });
  hostAgent = new DetachedProcess(resolvePaths({ home, uid: 4_000_000, env: {} }), 'host-agent');
});
afterEach(async () => {
  await hostAgent.stop();
  rmSync(folder, { recursive: true, force: true });
});

const act = (DO: string, values: Record<string, string> = {}) => runRemote('upgrade', { DO, ...values }, { home, bin });
const switchTo = (ID: string, over: Record<string, string> = {}) =>
  act('switch', {
    ID,
    UNIT: `unit of ${ID}`,
    RESTART: 'no',
    SELF: scriptText('upgrade'),
    GUARD_SECONDS: '600',
    ...over,
  });
const current = (): string => readlinkSync(join(home, '.local/share/fleet/current'));
const work = (): string[] => (existsSync(join(home, '.local/state/fleet/upgrade')) ? ['there'] : []);
const calls = (): string[] => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');

describe('under a user manager', () => {
  const UNIT = '.config/systemd/user/fleet-host-agent.service';
  const unit = (): string => readFileSync(join(home, UNIT), 'utf8');
  // With a last line that a hand has added.
  const BEFORE = `[Service]\nExecStart=%h/.local/share/fleet/versions/${OLD}/bin/fleet-host-agent\n# mine\n`;
  beforeEach(() => put(UNIT, BEFORE));

  test('link and unit go to the new version, a guard stands until it is settled, and then nothing is left', async () => {
    expect(await switchTo(NEW)).toMatchObject({ code: 0, stderr: '' });
    expect([current(), unit()]).toEqual([`versions/${NEW}`, `unit of ${NEW}\n`]);
    expect(calls().filter((call) => /restart|systemd-run/.test(call))).toEqual([
      expect.stringMatching(/^systemd-run .*--unit=fleet-upgrade --on-active=600 .*upgrade\.sh roll-back \S+$/),
      '--user restart fleet-host-agent.service',
    ]);
    expect(await act('settle')).toMatchObject({ code: 0, stderr: '' });
    expect([work(), calls().at(-1)]).toEqual([[], '--user stop fleet-upgrade.timer']);
    expect(await act('roll-back')).toMatchObject({ code: 0, stdout: '' });
    expect(current()).toBe(`versions/${NEW}`);
  });

  test('the way back brings the unit as it was, to the letter, and starts it', async () => {
    await switchTo(NEW);
    expect(await act('roll-back')).toMatchObject({ code: 0, stdout: `${OLD}\n` });
    expect([current(), unit(), work()]).toEqual([`versions/${OLD}`, BEFORE, []]);
    expect(calls().slice(-2)).toEqual(['--user daemon-reload', '--user restart fleet-host-agent.service']);
    expect(await act('settle')).toMatchObject({ code: 65, stderr: expect.stringContaining('went back by itself') });
  });

  test('one that was cut off and begun again, also with another version, still goes back to the first', async () => {
    await switchTo(NEW);
    await switchTo(NEWER);
    expect(current()).toBe(`versions/${NEWER}`);
    await act('roll-back');
    expect([current(), unit()]).toEqual([`versions/${OLD}`, BEFORE]);
  });

  test('one that finds everything as it should be starts nothing anew, unless it is told to', async () => {
    await switchTo(NEW);
    const restarts = () => calls().filter((call) => call.includes('restart')).length;
    const before = restarts();
    await switchTo(NEW);
    expect(restarts()).toBe(before);
    await switchTo(NEW, { RESTART: 'yes' });
    expect(restarts()).toBe(before + 1);
  });

  test('a way back that was cut off is gone to its end before anything else', async () => {
    await switchTo(NEW);
    const state = join(home, '.local/state/fleet/upgrade');
    mkdirSync(join(state, 'rolling-back'));
    for (const name of readdirSync(join(state, 'pending'))) {
      writeFileSync(join(state, 'rolling-back', name), readFileSync(join(state, 'pending', name)));
    }
    rmSync(join(state, 'pending'), { recursive: true });
    await switchTo(NEWER);
    expect(readFileSync(join(state, 'pending/unit'), 'utf8')).toBe(BEFORE);
    await act('roll-back');
    expect([current(), unit()]).toEqual([`versions/${OLD}`, BEFORE]);
  });

  test('a guard of an earlier turn does nothing', async () => {
    await switchTo(NEW);
    const said = calls().find((call) => call.startsWith('systemd-run')) as string;
    const [script, , turn] = said.slice(said.indexOf('/bin/sh ') + 8).split(' ') as [string, string, string];
    const env = { HOME: home, PATH: `${bin}:${process.env.PATH}` };
    execFileSync('sh', [script, 'roll-back', 'another'], { env });
    expect(current()).toBe(`versions/${NEW}`);
    execFileSync('sh', [script, 'roll-back', turn], { env });
    expect(current()).toBe(`versions/${OLD}`);
  });

  test('a version that is not there changes nothing', async () => {
    expect(await switchTo('9.9.9-000000000000')).toMatchObject({
      code: 65,
      stderr: '9.9.9-000000000000 is not here\n',
    });
    expect([current(), unit(), work()]).toEqual([`versions/${OLD}`, BEFORE, []]);
  });
});

describe('without a user manager', () => {
  const start = () =>
    hostAgent.ensure([join(home, `.local/share/fleet/versions/${OLD}/bin/fleet-host-agent`)], { version: OLD });

  test('the process is another one, with its settings, and fleet up knows it as its own', async () => {
    await start();
    const old = await hostAgent.running();
    expect(await switchTo(NEW)).toMatchObject({ code: 0, stderr: '' });
    const now = await hostAgent.running();
    expect(now).toMatchObject({ version: NEW, command: [expect.stringContaining(`${NEW}/bin/fleet-host-agent`)] });
    expect(existsSync(`/proc/${old?.pid}`)).toBe(false);
    await until(() => existsSync(join(folder, `level-${NEW}`)), SOON);
    expect(readFileSync(join(folder, `level-${NEW}`), 'utf8')).toBe('debug\n');
    const guards = () =>
      execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split(`${home}/.local/state/fleet/up`).length - 1;
    expect(guards()).toBe(1);
    await act('settle');
    expect(work()).toEqual([]);
    await until(() => guards() === 0, SOON);
    const program = join(home, `.local/share/fleet/versions/${NEW}/bin/fleet-host-agent`);
    expect(await hostAgent.ensure([program], { version: NEW })).toBe('unchanged');
  });

  test('it goes back by itself when nobody settles it', async () => {
    await start();
    await switchTo(NEW, { GUARD_SECONDS: '1' });
    await until(async () => (await hostAgent.running())?.version === OLD, SOON);
    await until(() => work().length === 0, SOON);
    expect(current()).toBe(`versions/${OLD}`);
  });

  test('its guard waits for a switch that is slower than it', async () => {
    await start();
    const sleep = join(bin, 'sleep');
    // Whoever waits for the old process to end is slow: by then the guard's time is over.
    writeFileSync(sleep, '#!/bin/sh\ncase $1 in 0.1) exec /bin/sleep 2 ;; *) exec /bin/sleep "$1" ;; esac\n', {
      mode: 0o755,
    });
    await switchTo(NEW, { GUARD_SECONDS: '1' });
    expect(await hostAgent.running()).toMatchObject({ version: NEW });
    await until(async () => (await hostAgent.running())?.version === OLD, { timeoutMs: 30_000 });
    await until(() => work().length === 0, SOON);
    expect(current()).toBe(`versions/${OLD}`);
  });

  test('what ended says its last word', async () => {
    put('.local/state/fleet/log/host-agent.log', 'fleet-host-agent: the disk is full\n');
    expect((await act('look')).stdout).toBe('ActiveState=failed\nWords=fleet-host-agent: the disk is full\n');
  });
});
