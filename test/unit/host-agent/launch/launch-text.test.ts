import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { agentLaunchPaths, type LaunchGround } from '../../../../host-agent/launch/launch-paths.ts';
import { launchText } from '../../../../host-agent/launch/launch-text.ts';
import { resolveAgent, rosterAgent } from '../../../../host-agent/launch/resolve-agent.ts';
import { searchPath } from '../../../../host-agent/launch/search-path.ts';
import { execText, simpleCommand } from '../../../../host-agent/launch/shell-text.ts';
import type { RosterAgent } from '../../../../src/domain/roster.ts';
import { parseRoster } from '../../../../src/roster/parse.ts';

const home = mkdtempSync(join(tmpdir(), "fleet home's-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
mkdirSync(join(home, 'src'));

const ground: LaunchGround = {
  home,
  state: join(home, 'state'),
  share: join(home, 'share'),
  mosaicHome: join(home, '.config/mosaic'),
  tmuxTmpdir: '/tmp',
};
const entry = (keys: object): RosterAgent => {
  const { roster, problem } = parseRoster(JSON.stringify({ version: 2, agents: [{ name: 'a', ...keys }] }), 'r');
  expect(problem).toBeNull();
  return roster!.agents[0]!;
};
const resolved = (keys: object, file: Record<string, string> = {}, secrets: Record<string, string> = {}) =>
  resolveAgent(
    entry(keys),
    {
      file: new Map(Object.entries(file)),
      secrets: new Map(Object.entries(secrets)),
      own: { PATH: '/usr/bin:/bin' },
    },
    ground,
  );
/** The launch file run for real, without tmux: the recorder's first word is not its business. */
const run = (...args: Parameters<typeof resolved>): string => {
  const text = launchText(resolved(...args), agentLaunchPaths(ground, 'a')).replace(/^sh .*begin\.sh.*$/m, '');
  const { stdout, stderr } = spawnSync('/bin/sh', ['-s'], {
    input: text,
    encoding: 'utf8',
    env: { INVOCATION_ID: 'x' },
  });
  expect(stderr).toBe('');
  return stdout;
};
const program = (name: string): void => {
  mkdirSync(join(home, '.local/bin'), { recursive: true });
  writeFileSync(join(home, '.local/bin', name), '#!/bin/sh\n');
  chmodSync(join(home, '.local/bin', name), 0o755);
};

const HOSTILE = ["it's", '"; touch /tmp/no', '$(id)`id`', 'a\nb\\', '$HOME %h #{pane_id}', '-n', '  ', 'ünï'];

describe('a launch file', () => {
  test.each(HOSTILE)('hands on the value %j as it is', (value) => {
    const print = `printf '%s' "$KEY|$SECRET|$MOSAIC_AGENT_CLASS"`;
    const keys = { command: print, env: { KEY: value } };
    expect(run(keys, { MOSAIC_AGENT_CLASS: value }, { SECRET: value })).toBe(`${value}|${value}|${value}`);
  });

  test('tells the agent who it is, and nothing of systemd and tmux', () => {
    const keys = { command: 'env', runtime: 'pi', model_hint: 'm', class: 'coder', effort: 'high' };
    const said = run(keys).split('\n');
    for (const line of [
      'MOSAIC_AGENT_NAME=a',
      'MOSAIC_AGENT_RUNTIME=pi',
      'MOSAIC_AGENT_MODEL=m',
      'MOSAIC_AGENT_CLASS=coder',
      'MOSAIC_AGENT_EFFORT=high',
      `MOSAIC_AGENT_WORKDIR=${home}/src`,
      'MOSAIC_TMUX_SOCKET=fleet-a',
      `MOSAIC_HEARTBEAT_RUN_DIR=${home}/.config/mosaic/fleet/run`,
      'MOSAIC_HEARTBEAT_INTERVAL=15',
      'LANG=C.UTF-8',
    ])
      expect(said).toContain(line);
    expect(said.filter((line) => /^(INVOCATION_ID|MOSAIC_HOME)=/.test(line))).toEqual([]);
  });

  test('starts in the working directory, whatever it is called', () => {
    mkdirSync(join(home, "o'dd $dir"));
    expect(run({ command: 'pwd', working_directory: "~/o'dd $dir" })).toBe(`${home}/o'dd $dir\n`);
  });

  test('makes files of the agent readable as anybody’s are', () => {
    expect(run({ command: 'umask' })).toMatch(/^0?022\n$/);
  });
});

describe('what outranks what', () => {
  test('the env file outranks the roster, its secrets stand between them, and nobody renames an agent', () => {
    const keys = { runtime: 'codex', model_hint: 'm', class: 'x', env: { A: 'roster', B: 'roster', C: 'roster' } };
    const file = {
      MOSAIC_AGENT_NAME: 'other',
      MOSAIC_AGENT_RUNTIME: 'pi',
      MOSAIC_AGENT_MODEL: 'n',
      MOSAIC_AGENT_WORKDIR: '/srv',
      MOSAIC_TMUX_SOCKET: 's',
      A: 'file',
    };
    const agent = resolved(keys, file, { A: 'secret', B: 'secret' });
    expect(agent).toMatchObject({ name: 'a', runtime: 'pi', workdir: '/srv', socket: 's', command: 'pi --model n' });
    const env = Object.fromEntries(agent.environment);
    expect(env).toMatchObject({ A: 'file', B: 'secret', C: 'roster', MOSAIC_AGENT_NAME: 'a', MOSAIC_AGENT_MODEL: 'n' });
  });

  test('a command of the env file outranks that of the roster', () => {
    expect(resolved({ command: 'one' }, { MOSAIC_AGENT_COMMAND: 'two' }).command).toBe('two');
  });

  test('reader and writer of heartbeats use the folder that the agent’s environment names', () => {
    const { heartbeatFolder, environment } = resolved({ runtime: 'pi' }, { MOSAIC_HEARTBEAT_RUN_DIR: '~/beats' });
    expect([heartbeatFolder, environment.get('MOSAIC_HEARTBEAT_RUN_DIR')]).toEqual([`${home}/beats`, `${home}/beats`]);
  });

  test('an entry of another user of this host is not this one’s', () => {
    const text = 'version: 2\nagents:\n- {name: a, runtime: pi, host: x@h}\n- {name: a, runtime: codex, host: y@h}\n';
    const { roster } = parseRoster(text, 'r');
    const at = { enrolledAs: null, machine: 'h' };
    expect(rosterAgent(roster!, 'a', { ...at, user: 'y' })?.runtime).toBe('codex');
    expect(rosterAgent(roster!, 'a', { ...at, user: 'z' })).toBeNull();
    expect(rosterAgent({ ...roster!, agents: roster!.agents.slice(0, 1) }, 'a', { ...at, user: 'y' })).toBeNull();
  });

  test('an entry of another host is not this one’s', () => {
    const text = 'version: 2\nagents:\n- {name: a, runtime: pi, host: x}\n- {name: a, runtime: codex, host: h}\n';
    const { roster } = parseRoster(text, 'r');
    const here = { enrolledAs: null, machine: 'h', user: 'u' };
    expect(rosterAgent(roster!, 'a', here)?.runtime).toBe('codex');
    expect(rosterAgent(roster!, 'a', { ...here, machine: 'z' })).toBeNull();
    expect(rosterAgent(roster!, 'a', { ...here, machine: 'z', enrolledAs: 'x' })?.runtime).toBe('pi');
    expect(rosterAgent(roster!, 'b', here)).toBeNull();
    // It went to another host, and its unit of before is still here.
    const gone = { ...roster!, agents: roster!.agents.slice(0, 1) };
    expect(rosterAgent(gone, 'a', { ...here, enrolledAs: 'h' })).toBeNull();
  });
});

describe('the usual command', () => {
  test.each([
    [{ runtime: 'pi', model_hint: 'p/m', effort: 'high' }, 'pi --model p/m:high'],
    [{ runtime: 'pi', model_hint: 'p/m:low', effort: 'high' }, 'pi --model p/m:low'],
    [{ runtime: 'pi', effort: 'low' }, 'pi --thinking low'],
    [{ runtime: 'codex', model_hint: 'm', effort: 'high' }, 'codex --model m -c model_reasoning_effort=high'],
    [{ runtime: 'claude', model_hint: 'opus:max' }, 'claude --model opus --effort max'],
    [{ runtime: 'pi', model_hint: 'p/m:max' }, 'pi --model p/m:xhigh'],
    [{ runtime: 'pi', effort: 'none' }, 'pi --thinking off'],
    [{ runtime: 'codex', model_hint: 'm:off' }, 'codex --model m -c model_reasoning_effort=none'],
    [{ runtime: 'claude', effort: 'minimal' }, 'claude --effort low'],
    [{ runtime: 'opencode', model_hint: 'p/m' }, 'opencode --model p/m'],
    [{ runtime: 'stub' }, `python3 '${home.replaceAll("'", "'\\''")}/.config/mosaic/fleet/dogfood-agent.py'`],
    [{ runtime: 'pi', model_hint: 'a;b' }, "pi --model 'a;b'"],
    [{ runtime: 'homemade' }, 'homemade'],
  ])('of %j without mosaic', (keys, command) => {
    expect(resolved(keys).command).toBe(command);
  });

  test('is mosaic’s where there is one on the agent’s PATH', () => {
    program('mosaic');
    expect(resolved({ runtime: 'pi', model_hint: 'p/m', effort: 'high' })).toMatchObject({
      command: 'mosaic yolo pi --model p/m:high',
      programs: ['mosaic', 'pi'],
    });
    expect(resolved({ runtime: 'pi', model_hint: 'p/m:none' }).command).toBe('mosaic yolo pi --model p/m:off');
    expect(resolved({ runtime: 'stub' }).programs).toEqual(['python3']);
    rmSync(join(home, '.local/bin/mosaic'));
  });
});

describe('a command takes the place of the shell', () => {
  test.each([
    ['sleep 1', ['sleep', '1']],
    [`pi --model "a b" 'c;d'`, ['pi', '--model', '"a b"', "'c;d'"]],
    ['a\\ b c', ['a\\ b', 'c']],
    ['a; b', null],
    ['a && b', null],
    ['a | b', null],
    ['$(a) b', null],
    ['X=1 a', null],
    ['cd x', null],
    ['exec a', null],
    ['if true', null],
    ["it's", null],
    ['a # b', null],
    ['a\nb', null],
    ['', null],
  ])('%j is one program: %j', (command, words) => {
    expect(simpleCommand(command)).toEqual(words);
  });

  test.each([
    ['sh -c "exit 3"', 3],
    ['X=4; exit $X', 4],
    ['X=5 sh -c "exit \\$X"', 5],
    ['for i in 1; do exit 6; done', 6],
    ["sh -c 'exit '\\''7'\\'", 7],
    ['exec sh -c "exit 8"', 8],
    ["echo 'never closed", 2],
  ])('%j runs as it does by itself', (command, status) => {
    expect(spawnSync('/bin/sh', ['-c', execText(command)]).status).toBe(status);
  });

  test('a program is the pane’s process at once, and a list of commands runs whole', () => {
    const own = execFileSync('/bin/sh', ['-c', `echo $$; ${execText('sh -c "echo \\$\\$"')}`], { encoding: 'utf8' });
    const [outer, inner] = own.trim().split('\n');
    expect(inner).toBe(outer);
    expect(execFileSync('/bin/sh', ['-c', execText('echo 1; echo 2')], { encoding: 'utf8' })).toBe('1\n2\n');
  });
});

describe('the PATH of a launch', () => {
  const path = (over: Partial<Parameters<typeof searchPath>[0]> = {}): string[] =>
    searchPath({ home, runtimeBin: null, basePath: '/usr/bin:/bin', npmPrefix: null, ...over }).split(':');

  test('has the runtime’s folder, npm’s, the user’s and then the unit’s, those that are there, each once', () => {
    for (const folder of ['rt', 'npm/bin', '.npm-global/bin', '.local/bin'])
      mkdirSync(join(home, folder), { recursive: true });
    const own = [join(home, '.npm-global/bin'), join(home, '.local/bin'), '/usr/bin', '/bin'];
    expect(path()).toEqual(own);
    expect(path({ runtimeBin: `${home}/rt:/none:/bin` })).toEqual([`${home}/rt`, '/bin', ...own.slice(0, 3)]);
    expect(path({ npmPrefix: '~/npm' })[0]).toBe(`${home}/npm/bin`);
    writeFileSync(join(home, '.npmrc'), `registry=x\nprefix = "${'$'}{HOME}/npm"\n`);
    expect(path()[0]).toBe(`${home}/npm/bin`);
    rmSync(join(home, '.npmrc'));
  });

  test('is a sane one where the launch has none, and holds nothing relative', () => {
    expect(path({ basePath: null })).toContain('/usr/bin');
    expect(path({ basePath: '.:bin:/usr/bin:' })).toEqual(expect.not.arrayContaining(['.', 'bin', '']));
  });
});
