/**
 * The real programs launched by the recipe as their units launch them: under a user manager's environment, detached, with
 * nobody there. A host-agent watches.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentLaunchPaths, type LaunchGround, launcherProgram } from '../../host-agent/launch/launch-paths.ts';
import { LaunchRecords } from '../../host-agent/launch/launch-records.ts';
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { Roster } from '../../src/domain/roster.ts';
import { parseRoster } from '../../src/roster/parse.ts';
import { RunningHostAgent } from '../helpers/run-host-agent.ts';
import { until } from '../helpers/until.ts';
import { isGone } from '../integration/host-agent/launch/launch-bed.ts';
import { BINARIES, CLAUDE_ACCOUNT, ClosedNetwork, installPrograms, withModel } from './real-programs.ts';
import { AgentUnit, endAllOf } from './unit-of.ts';

const PATIENCE = { timeoutMs: 120_000 };
/** Longer than any of them takes to find that nobody is there. */
const DETACHED_MS = 20_000;
const DEFAULTS = { lifecycle: 'core', env: { PI_OFFLINE: 1, MOSAIC_HEARTBEAT_INTERVAL: 2 } };
const GPT = { model_hint: 'openai-codex/gpt-5.5', effort: 'high' };
const AGENTS: { name: string; runtime: string; known?: boolean; [key: string]: unknown }[] = [
  { name: 'pi', runtime: 'pi', ...GPT },
  { name: 'pi-none', runtime: 'pi', model_hint: 'openai-codex/gpt-5.5:none' },
  { name: 'pi-alone', runtime: 'pi', effort: 'max' },
  { name: 'codex', runtime: 'codex', model_hint: 'gpt-5.5', effort: 'high' },
  { name: 'codex-known', runtime: 'codex', model_hint: 'stand-in:xhigh', known: true },
  { name: 'codex-trust', runtime: 'codex', model_hint: 'stand-in', working_directory: '~/shop/sub', known: true },
  { name: 'claude', runtime: 'claude', model_hint: 'opus', effort: 'max', working_directory: '~/link' },
  { name: 'opencode', runtime: 'opencode', model_hint: 'loopback/stand-in', working_directory: '~/shop' },
  { name: 'pi-mosaic', runtime: 'pi', ...GPT },
  { name: 'codex-mosaic', runtime: 'codex', model_hint: 'stand-in', known: true },
];

let network: ClosedNetwork;
let host: RunningHostAgent;
let ground: LaunchGround;
let roster: Roster;
const units = new Map<string, AgentUnit>();

/** As `npm install -g` leaves them below a prefix of the user's own, of which only ~/.npmrc knows. */
const installForUser = (home: string): void => {
  const bin = join(home, '.npm-packages/bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(home, '.npmrc'), `prefix=${'$'}{HOME}/.npm-packages\n`);
  for (const [name, path] of Object.entries({ ...BINARIES, node: process.execPath }))
    symlinkSync(realpathSync(path), join(bin, name));
};

const script = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
};

/** Of a `known` codex: another home than its usual one, in which nobody has logged in. */
const writeRoster = (home: string): Roster => {
  const agents = AGENTS.map(({ known, ...agent }) => ({
    ...agent,
    env: { ...DEFAULTS.env, ...CLAUDE_ACCOUNT, ...(known ? { CODEX_HOME: join(home, 'known/.codex') } : {}) },
  }));
  const text = JSON.stringify({ version: 2, defaults: DEFAULTS, agents });
  writeFileSync(join(home, '.config/mosaic/fleet/roster.yaml'), text);
  const parsed = parseRoster(text, 'roster.yaml');
  if (parsed.roster === null) throw new Error(parsed.problem);
  return parsed.roster;
};

const start = (name: string): void => {
  const unit = new AgentUnit(roster.agents.find((agent) => agent.name === name)!, ground, network);
  unit.start();
  units.set(name, unit);
};

beforeAll(async () => {
  await installPrograms();
  network = await ClosedNetwork.start();
  host = await RunningHostAgent.start('launch', { ownFleet: true });
  const home = host.folder;
  ground = { ...host.config.paths, home };
  installForUser(home);
  const launcher = join(import.meta.dirname, '../../host-agent/launch/main.ts');
  script(launcherProgram(ground), `exec '${process.execPath}' '${launcher}' "$@"`);
  for (const folder of ['shop/sub', 'desk', '.config/mosaic/fleet']) mkdirSync(join(home, folder), { recursive: true });
  execFileSync('git', ['init', '-q', join(home, 'shop')]);
  symlinkSync('desk', join(home, 'link'));
  for (const program of ['claude', 'opencode'] as const) withModel(program, home);
  withModel('codex', join(home, 'known'));
  roster = writeRoster(home);
});
afterAll(async () => {
  for (const unit of units.values()) if (unit.isActive) await unit.stop();
  if (host) endAllOf(host.folder);
  await host?.remove();
  await network?.stop();
});

const screenOf = (name: string): Promise<string> =>
  host.tmuxOn(`fleet-${name}`, 'capture-pane', '-p', '-t', `=${name}:`).catch((error: Error) => error.message);
const rowOf = async (name: string): Promise<AgentRow | undefined> => {
  const mirror = await host.view({ localOnly: true });
  return [...mirror.hostAgentIds()].flatMap((id) => [...mirror.rowsOf(id)]).find(({ row }) => row.agent === name)?.row;
};
const untilRow = async (name: string, is: (row: AgentRow) => boolean): Promise<AgentRow> => {
  try {
    return await until(async () => {
      const row = await rowOf(name);
      return row && is(row) ? row : null;
    }, PATIENCE);
  } catch (error) {
    const row = JSON.stringify(await rowOf(name), (_, value) => (typeof value === 'bigint' ? String(value) : value));
    throw new Error(`${name}: ${row}; its screen:\n${await screenOf(name)}`, { cause: error });
  }
};

/** Up, alone and recognised, from its first process on until it was there for long enough. */
const staysUp = async (name: string, readiness: string, reasonCode: string | null): Promise<AgentRow> => {
  const { runtime } = AGENTS.find((agent) => agent.name === name)!;
  const first = await untilRow(name, (row) => row.runtimeSeen === runtime);
  const row = await untilRow(
    name,
    (each) =>
      each.readiness === readiness &&
      each.reasonCode === reasonCode &&
      each.heartbeat.state === 'healthy' &&
      Date.now() - each.startedMs! >= DETACHED_MS,
  );
  expect(row).toMatchObject({
    managed: true,
    runtime,
    runtimeSeen: runtime,
    tmux: { session: name, socket: join(ground.tmuxTmpdir, `tmux-0/fleet-${name}`), dead: false, attached: 0 },
    heartbeat: { source: 'sidecar', pid: first.tmux!.pid },
    lastExit: null,
  });
  expect(row.tmux!.pid).toBe(first.tmux!.pid);
  expect(row.flags.filter((flag) => flag !== 'UNPROTECTED')).toEqual([]);
  expect(units.get(name)!.isActive).toBe(true);
  return row;
};

const commandOf = (name: string): string =>
  readFileSync(agentLaunchPaths(ground, name).launch, 'utf8').trimEnd().split('\n').at(-1)!;

describe('without mosaic each is started by its own name and flags, and takes them:', () => {
  const cases = [
    ['pi', 'exec pi --model openai-codex/gpt-5.5:high', 'available', null, /gpt-5\.5 • high/],
    ['pi-none', 'exec pi --model openai-codex/gpt-5.5:off', 'available', null, /gpt-5\.5 • thinking off/],
    ['pi-alone', 'exec pi --thinking xhigh', 'stuck', 'login', /No models available/],
    ['codex', 'exec codex --model gpt-5.5 -c model_reasoning_effort=high', 'stuck', 'login', /Sign in with ChatGPT/],
    ['codex-known', 'exec codex --model stand-in -c model_reasoning_effort=xhigh', 'available', null, /stand-in xhigh/],
    ['codex-trust', 'exec codex --model stand-in', 'stuck', 'trust_prompt', /Trust this folder/],
    ['claude', 'exec claude --model opus --effort max', 'stuck', 'trust_prompt', /Quick safety check/],
    ['opencode', 'exec opencode --model loopback/stand-in', 'available', null, /stand-in/],
  ] as const;

  beforeAll(() => {
    for (const [name] of cases) start(name);
  });

  test.each(cases)('%s by `%s`', async (name, command, readiness, reasonCode, screen) => {
    expect(commandOf(name)).toBe(command);
    await staysUp(name, readiness, reasonCode);
    const shown = await screenOf(name);
    expect(shown).toMatch(screen);
    expect(shown).not.toMatch(/not found for provider|Invalid thinking level|Unknown --effort|is not valid/);
  });

  test.each(['codex-trust', 'claude'])(
    'the preflight warns of the prompt of %s until it was answered',
    async (name) => {
      const warned = (): boolean => {
        const env = { HOME: host.folder, PATH: '/usr/bin:/bin', INVOCATION_ID: 'x' };
        const { stdout } = spawnSync(launcherProgram(ground), ['preflight', name, '-o', 'json'], {
          encoding: 'utf8',
          env,
        });
        const { warnings } = JSON.parse(stdout) as { warnings: { code: string }[] };
        return warnings.some(({ code }) => code === 'trust');
      };
      expect(warned()).toBe(true);
      await host.tmuxOn(`fleet-${name}`, 'send-keys', '-t', `=${name}:`, 'Enter');
      await untilRow(name, (row) => row.readiness === 'available');
      await until(() => !warned(), PATIENCE);
    },
  );

  test.each(cases)('%s is stopped in order, and its last run is kept', async (name) => {
    const row = await rowOf(name);
    expect(await units.get(name)!.stop()).toBe(0);
    const records = new LaunchRecords(ground);
    const run = await records.lastRun(name);
    expect(run).toMatchObject({ agent: name, cause: 'stopped' });
    expect(run!.endedMs - run!.startedMs).toBeGreaterThan(DETACHED_MS);
    expect(readFileSync(run!.linesFile!, 'utf8').length).toBeGreaterThan(50);
    expect(isGone(row!.tmux!.pid!)).toBe(true);
  });
});

describe('with a mosaic that becomes the runtime,', () => {
  const said = (name: string): string => readFileSync(join(host.folder, `mosaic.${name}`), 'utf8');
  const cases = [
    ['pi-mosaic', 'yolo pi --model openai-codex/gpt-5.5:high', 'available', null],
    ['codex-mosaic', 'yolo codex --model stand-in', 'available', null],
  ] as const;

  beforeAll(() => {
    script(join(host.folder, '.local/bin/mosaic'), 'echo "$*" > "$HOME/mosaic.$MOSAIC_AGENT_NAME"\nshift\nexec "$@"');
    for (const [name] of cases) start(name);
  });

  test.each(cases)('%s is started by `mosaic %s`', async (name, words, readiness, reasonCode) => {
    expect(commandOf(name)).toBe(`exec mosaic ${words}`);
    await staysUp(name, readiness, reasonCode);
    expect(said(name).trimEnd()).toBe(words);
    expect(await units.get(name)!.stop()).toBe(0);
  });
});
