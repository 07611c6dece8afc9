/** What stands on disk before an agent starts, and why it must not. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hindranceNow } from '../../../../host-agent/launch/hindrance.ts';
import { LaunchSource } from '../../../../host-agent/launch/launch-source.ts';
import { readPreflight } from '../../../../host-agent/launch/preflight-file.ts';
import { readLaunch } from '../../../../host-agent/launch/read-launch.ts';
import { until } from '../../../helpers/until.ts';
import { isGone, LaunchBed } from './launch-bed.ts';

const SOON = { timeoutMs: 40_000 };
let bed: LaunchBed;
beforeEach(() => {
  bed = new LaunchBed();
});
afterEach(() => bed.close());

const problems = async (agent = 'a'): Promise<string[]> =>
  (await bed.prepare(agent)).problems.map(({ words }) => words);
const warnings = async (agent = 'a'): Promise<string[]> =>
  (await bed.prepare(agent)).warnings.map(({ words }) => words);

describe('a start', () => {
  test('is refused with a plain reason, which stands where the host-agent finds it', async () => {
    bed.roster({ name: 'a', runtime: 'pi', working_directory: '/nowhere', env_file: '~/secrets' });
    const words = [
      `its env_file ${bed.home}/secrets is not there`,
      'its working directory /nowhere does not exist',
      'pi is not found on its PATH: name its folder in MOSAIC_RUNTIME_BIN',
    ];
    expect(await problems()).toEqual(words);
    const kept = await readPreflight(bed.files('a').preflight, 'a');
    expect(kept?.problems.map((problem) => problem.words)).toEqual(words);
    expect(existsSync(bed.files('a').launch)).toBe(false);
  });

  test('is refused where what its program is run by is not on the PATH', async () => {
    bed.roster({ name: 'a', runtime: 'pi' });
    for (const [line, missing] of [
      ['#!/usr/bin/env nodejs-of-nowhere', 'nodejs-of-nowhere'],
      ['#!/usr/bin/env -S no-such-thing --flag', 'no-such-thing'],
      ['#!/nowhere/node', '/nowhere/node'],
    ] as const) {
      bed.program('pi', `${line}\n`);
      const needs = `${missing} is not found on its PATH, and ${bed.home}/.local/bin/pi needs it: `;
      expect(await problems()).toEqual([`${needs}name its folder in MOSAIC_RUNTIME_BIN`]);
    }
    for (const line of ['#!/usr/bin/env sh', '#! /bin/sh -e', '\x7fELF', '']) {
      bed.program('pi', `${line}\n`);
      expect(await problems(), line).toEqual([]);
    }
  });

  test('adds a flag that keeps codex to itself, where this codex takes it', async () => {
    bed.roster({ name: 'a', runtime: 'codex' }, { name: 'b', command: 'codex resume' });
    for (const [help, command] of [
      ['      --no-daemon  Run without it', 'codex --no-daemon'],
      ['      --no-daemonize', 'codex'],
    ] as const) {
      bed.program('codex', `#!/bin/sh\n[ "$*" = --help ] && echo '${help}'\n`);
      expect(await problems()).toEqual([]);
      expect(readFileSync(bed.files('a').launch, 'utf8')).toMatch(new RegExp(`\nexec ${command}\n$`));
    }
    await bed.prepare('b');
    expect(readFileSync(bed.files('b').launch, 'utf8')).toMatch(/\nexec codex resume\n$/);
  });

  test('by the program itself ends as systemd must see it, with one line for the journal', () => {
    bed.roster({ name: 'a', runtime: 'pi' }, { name: 'b', command: 'true' });
    const launch = (...words: string[]) =>
      spawnSync(process.execPath, ['host-agent/launch/main.ts', ...words], { encoding: 'utf8', env: bed.own });
    const refused = launch('prepare', 'a');
    expect([refused.status, refused.stderr.match(/\n/g)?.length]).toEqual([1, 2]);
    expect(refused.stderr).toMatch(/^fleet-launch: a cannot start: pi is not found on its PATH/m);
    expect(launch('prepare', 'b').status).toBe(0);
    expect(existsSync(bed.files('b').launch)).toBe(true);
    const told = launch('preflight', 'a', '-o', 'json');
    expect([told.status, JSON.parse(told.stdout)]).toMatchObject([1, { ok: false, problems: [{ code: 'program' }] }]);
    expect(launch('preflight', 'b').status).toBe(0);
    expect(launch('prepare').status).toBe(2);
    expect(launch('prepare', '../../etc').stderr).toContain('no name of an agent');
  });

  test('writes what only its user may read, and runs what roster and env file say now', async () => {
    bed.roster({ name: 'a', command: 'true', env_file: '~/secrets' });
    writeFileSync(join(bed.home, 'secrets'), "KEY='hush'\n", { mode: 0o600 });
    expect(await problems()).toEqual([]);
    const { folder, launch } = bed.files('a');
    expect(readFileSync(launch, 'utf8')).toContain("export KEY='hush'");
    for (const path of [bed.ground.state, join(folder, '..'), folder]) expect(statSync(path).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600);
    bed.env('a', 'MOSAIC_AGENT_COMMAND=date\n');
    await bed.prepare('a');
    expect(readFileSync(launch, 'utf8')).toMatch(/\nexec date\n$/);
  });

  test('leaves no half-written secrets and no lines of a screen lying from a launch that was cut off', async () => {
    bed.roster({ name: 'a', command: 'true' });
    await bed.prepare('a');
    const { folder } = bed.files('a');
    const whole = readdirSync(folder).sort();
    for (const name of ['launch.sh.1a2b3c4d.partial', '.lines.4711.all', '.run.4711'])
      writeFileSync(join(folder, name), 'x');
    await bed.prepare('a');
    expect(readdirSync(folder).sort()).toEqual(whole);
  });

  test('that is to leave the default socket is not held up by the line that will be taken out', async () => {
    bed.roster({ name: 'a', command: 'true' });
    bed.env('a', 'MOSAIC_TMUX_SOCKET=default\n');
    const read = await readLaunch('a', bed.ground, bed.own);
    if (read.kind !== 'read') throw new Error(read.words);
    expect(await hindranceNow(read.entry, bed.ground)).toContain('its server would be tmux’s default one');
    expect(await hindranceNow(read.entry, bed.ground, true)).toBeNull();
  });

  test('is warned of secrets that others may read, of a linger that is off, and of lines that say nothing', async () => {
    bed.roster({ name: 'a', command: 'true', env_file: '~/secrets' });
    writeFileSync(join(bed.home, 'secrets'), 'KEY=hush\n', { mode: 0o644 });
    bed.env('a', 'what is this\n');
    expect(await warnings()).toEqual([
      expect.stringContaining('a.env:1:1: this line is no assignment'),
      `others may read its env_file: chmod 600 ${bed.home}/secrets`,
      expect.stringMatching(/^linger is off for /),
    ]);
  });

  test('makes the default working directory, and no other', async () => {
    bed.roster({ name: 'a', command: 'true' });
    expect(await problems()).toEqual([]);
    expect(existsSync(join(bed.home, 'src'))).toBe(true);
  });

  test('does not touch a server that runs on its socket already', async () => {
    bed.roster({ name: 'a', command: 'sleep 1000' });
    await bed.start('a');
    const pid = bed.pid('a');
    expect(await problems()).toEqual([expect.stringMatching(/^a tmux server runs on its socket .*fleet-a already/)]);
    expect(isGone(pid)).toBe(false);
    expect(existsSync(join(bed.files('a').folder, 'run'))).toBe(true);
  });

  test('goes on as it did last where the roster became unreadable, and never where the agent left it', async () => {
    bed.roster({ name: 'a', command: 'true' });
    const path = join(bed.ground.mosaicHome, 'fleet/roster.yaml');
    writeFileSync(path, 'version: 2\nagents: [');
    expect(await problems()).toEqual([expect.stringMatching(/roster\.yaml:\d+:\d+: no valid YAML/)]);
    bed.roster({ name: 'a', command: 'true' });
    await bed.prepare('a');
    writeFileSync(path, 'version: 2\nagents: [');
    expect(await problems()).toEqual([]);
    expect(await warnings()).toEqual([expect.stringMatching(/roster\.yaml:\d+:\d+: .*; it starts as it did last$/)]);
    bed.roster({ name: 'b', command: 'true' });
    expect(await problems()).toEqual([`${path} names no agent a of this host`]);
    rmSync(path);
    expect(await problems()).toEqual([`there is no roster at ${path}`]);
  });

  test('never uses tmux’s default socket, whatever the env file says', async () => {
    bed.roster({ name: 'a', command: 'true' });
    bed.env('a', 'MOSAIC_TMUX_SOCKET=\n');
    expect(await problems()).toEqual([expect.stringContaining('its server would be tmux’s default one')]);
  });
});

describe('the heartbeat sidecar', () => {
  test('beats with the pid of the pane, and takes its word back at the end', async () => {
    bed.roster({ name: 'a', command: 'sleep 1000' });
    await bed.start('a');
    const beat = await until(() => existsSync(bed.beatFile('a')) && readFileSync(bed.beatFile('a'), 'utf8'), SOON);
    expect(beat).toMatch(new RegExp(`^ts=\\d{10}\npid=${bed.pid('a')}\nstatus=ok\n$`));
    await until(() => readFileSync(bed.beatFile('a'), 'utf8') !== beat, SOON);
    process.kill(bed.pid('a'), 'SIGKILL');
    await bed.ended('a');
    await until(() => !existsSync(bed.beatFile('a')), SOON);
  });

  test.each(['a.hb.native', 'a.hb'])('leaves alone what the agent writes by itself (%s)', async (name) => {
    const folder = join(bed.ground.mosaicHome, 'fleet/run');
    const write = `mkdir -p ${folder}; while :; do echo "status=busy" > ${folder}/new; mv ${folder}/new ${folder}/${name}; sleep 0.3; done`;
    bed.program('beating', `#!/bin/sh\n${write.replaceAll(folder, '"$MOSAIC_HEARTBEAT_RUN_DIR"')}\n`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), 'status=busy\n');
    bed.roster({ name: 'a', command: 'beating' });
    await bed.start('a');
    const run = join(bed.files('a').folder, 'run');
    // The sidecar touches it after each round.
    const first = statSync(run).mtimeMs;
    await until(() => statSync(run).mtimeMs > first + 1_500, SOON);
    expect(readFileSync(join(folder, name), 'utf8')).toBe('status=busy\n');
    // Between its own two steps the agent's next beat may stand there.
    expect(readdirSync(folder).filter((each) => each !== 'new')).toEqual([name]);
  });
});

test('who watches hears of an end and of a refusal', async () => {
  using stack = new DisposableStack();
  const stop = stack.adopt(new AbortController(), (each) => each.abort());
  const source = new LaunchSource({ ground: bed.ground, rescanMs: 1_000_000 });
  await source.start(stop.signal);
  bed.roster({ name: 'a', command: 'exit 4' }, { name: 'b', runtime: 'pi' });
  await bed.start('a');
  await bed.ended('a');
  await until(() => source.current().byAgent.get('a')?.lastRun?.status === 4, SOON);
  await bed.prepare('b');
  await until(() => source.current().byAgent.get('b')?.refused?.words.startsWith('pi is not found'), SOON);
  bed.program('pi', '#!/bin/sh\n');
  await bed.prepare('b');
  await until(() => source.current().byAgent.get('b') === undefined, SOON);
});

test('what tmux 3.4 and newer puts into a scope of its own is ended with its agent', async () => {
  bed.roster({ name: 'a', command: 'sleep 1000' });
  await bed.start('a');
  const left = spawn('sleep', ['1000'], { stdio: 'ignore' });
  // A cgroup cannot be made here: a folder that says the same stands in for its list of processes.
  const scope = join(bed.home, 'app.slice/tmux-spawn-1.scope');
  mkdirSync(scope, { recursive: true });
  writeFileSync(join(scope, 'cgroup.procs'), `${left.pid}\n`);
  const { folder } = bed.files('a');
  const common = join(folder, 'common.sh');
  writeFileSync(
    common,
    readFileSync(common, 'utf8').replace('for tree in /sys/fs/cgroup ', "for tree in '' /sys/fs/cgroup "),
  );
  const run = readFileSync(join(folder, 'run'), 'utf8').trimEnd();
  writeFileSync(join(folder, 'run'), `${run} ${scope}\n`);
  const ended = once(left, 'exit');
  bed.stop('a');
  await bed.ended('a');
  expect(await ended).toEqual([null, 'SIGTERM']);
});
