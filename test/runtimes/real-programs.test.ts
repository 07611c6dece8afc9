import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ScreenPrompts } from '../../host-agent/prompts/screen-prompts.ts';
import { shippedRules } from '../../host-agent/prompts/shipped-rules.ts';
import { hostAgentEndpoint } from '../../src/cli/client/endpoints.ts';
import { GrpcChannel } from '../../src/cli/client/grpc-channel.ts';
import { controlAgent } from '../../src/cli/client/order-methods.ts';
import type { AgentRow } from '../../src/domain/agent-row.ts';
import { RunningHostAgent } from '../helpers/run-host-agent.ts';
import { parseRecording } from '../helpers/screen-fixture.ts';
import { until } from '../helpers/until.ts';
import { ClosedNetwork, installPrograms, type Program, withModel } from './real-programs.ts';

const PATIENCE = { timeoutMs: 90_000 };
const HEAD =
  '{"width":#{pane_width},"height":#{pane_height},"cursorX":#{cursor_x},"cursorY":#{cursor_y},' +
  '"cursorVisible":#{cursor_flag},"alternateScreen":#{alternate_on},"title":""}';
const rules = shippedRules();
const prompts = new ScreenPrompts({ rulesFor: (runtime) => rules.get(runtime ?? '') ?? null });
let folder: string;
let network: ClosedNetwork;
let host: RunningHostAgent;

beforeAll(async () => {
  await installPrograms();
  folder = mkdtempSync(join(tmpdir(), 'fleet-runtimes-'));
  network = await ClosedNetwork.start();
  host = await RunningHostAgent.start('runtimes');
});
afterAll(async () => {
  await host?.remove();
  await network?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const begin = async (session: string, program: Program, model: boolean, ...args: string[]): Promise<void> => {
  const [home, project] = [join(folder, session, 'home'), join(folder, session, 'shop')];
  for (const each of [home, project]) mkdirSync(each, { recursive: true });
  execFileSync('git', ['init', '-q', project]);
  if (model) withModel(program, home);
  const command = network.command(program, home, args);
  await host.tmux('new-session', '-d', '-s', session, '-x', '100', '-y', '40', '-c', project, command);
};
const press = (session: string, ...keys: string[]) => host.tmux('send-keys', '-t', `=${session}:`, ...keys);
const capture = async (session: string): Promise<string> => {
  const target = ['-t', `=${session}:`];
  return `${await host.tmux('display-message', '-p', ...target, HEAD)}\n${await host.tmux('capture-pane', '-p', '-e', '-N', ...target)}`;
};
const rowOf = async (session: string): Promise<AgentRow | undefined> => {
  const mirror = await host.view({ localOnly: true });
  return [...mirror.hostAgentIds()].flatMap((id) => [...mirror.rowsOf(id)]).find(({ row }) => row.agent === session)
    ?.row;
};
const rowIn = async (session: string, readiness: string, reasonCode: string | null = null): Promise<AgentRow> => {
  try {
    return await until(async () => {
      const row = await rowOf(session);
      return row?.readiness === readiness && row.reasonCode === reasonCode ? row : null;
    }, PATIENCE);
  } catch (error) {
    throw new Error(`${session} is not ${readiness} ${reasonCode}; its screen:\n${await capture(session)}`, {
      cause: error,
    });
  }
};
const answer = async (session: string, runtime: Program, choice: string): Promise<void> => {
  const keys = prompts.answer(runtime, parseRecording(await capture(session)), choice);
  if (keys === null) throw new Error(`no keys for ${choice}:\n${await capture(session)}`);
  for (const key of keys.moves) await press(session, key);
  await until(async () => {
    const reading = prompts.reading(runtime, parseRecording(await capture(session)));
    return keys.moves.length === 0 || reading?.choices.find(({ name }) => name === keys.choice.name)?.selected;
  }, PATIENCE);
  for (const key of keys.confirm) await press(session, key);
};
const say = async (session: string, runtime: Program, text: string): Promise<void> => {
  await press(session, '-l', text);
  await until(
    async () => prompts.reading(runtime, parseRecording(await capture(session)))?.composer?.text === text,
    PATIENCE,
  );
  await press(session, 'Enter');
};

/** By its own command: a restart would say so. */
const reset = async (session: string, command: string): Promise<void> => {
  const { key = '' } = (await rowOf(session)) ?? {};
  const [hostAgent = ''] = (await host.view({ localOnly: true })).hostAgentIds();
  const target = { hostAgent, key, paneId: '', panePid: 0 };
  const plain = { force: false, adopt: true, rosterDigest: '', migrate: false, purge: false };
  const request = { id: `reset-${session}`, target, action: 'reset', timeoutMs: 60_000, ...plain };
  using channel = new GrpcChannel(hostAgentEndpoint(host.config.paths));
  const outcome = await channel.unary(controlAgent, request, { deadlineMs: 70_000 });
  const screen = await capture(session);
  expect([outcome.outcome, outcome.reason], screen).toEqual(['done', `by ${command}`]);
};

test('claude: trust, composer, work, approval, question', async () => {
  await begin('claude', 'claude', true, '--permission-mode', 'default');
  expect((await rowIn('claude', 'stuck', 'trust_prompt')).runtimeSeen).toBe('claude');
  await answer('claude', 'claude', 'yes');
  await rowIn('claude', 'available');
  await say('claude', 'claude', 'please run it');
  await rowIn('claude', 'working');
  const asked = await rowIn('claude', 'stuck', 'approval');
  expect(asked.attention?.summary).toContain('touch asked.txt');
  await answer('claude', 'claude', 'Yes');
  await rowIn('claude', 'working');
  await rowIn('claude', 'available');
  await reset('claude', '/clear');
});

test('claude: a question', async () => {
  await begin('claude-asks', 'claude', true, '--permission-mode', 'default');
  await rowIn('claude-asks', 'stuck', 'trust_prompt');
  await answer('claude-asks', 'claude', 'yes');
  await rowIn('claude-asks', 'available');
  await say('claude-asks', 'claude', 'please ask me');
  expect((await rowIn('claude-asks', 'stuck', 'question')).attention?.summary).toContain('Which colour');
  await answer('claude-asks', 'claude', 'blue');
  await rowIn('claude-asks', 'available');
});

test('codex: login at its first start', async () => {
  await begin('codex-new', 'codex', false);
  expect((await rowIn('codex-new', 'stuck', 'login')).runtimeSeen).toBe('codex');
});

test('codex: trust, composer, work, approval', async () => {
  await begin('codex', 'codex', true);
  await rowIn('codex', 'stuck', 'trust_prompt');
  await answer('codex', 'codex', '1');
  await rowIn('codex', 'available');
  await say('codex', 'codex', 'please run it');
  await rowIn('codex', 'working');
  expect((await rowIn('codex', 'stuck', 'approval')).attention?.summary).toContain('touch asked.txt');
  await answer('codex', 'codex', '1');
  await rowIn('codex', 'working');
  await rowIn('codex', 'available');
  await reset('codex', '/clear');
});

test('pi: no model, then composer, work, menu', async () => {
  await begin('pi-new', 'pi', false);
  expect((await rowIn('pi-new', 'stuck', 'login')).runtimeSeen).toBe('pi');
  await begin('pi', 'pi', true, '--model', 'loopback/stand-in');
  await rowIn('pi', 'available');
  await say('pi', 'pi', 'hello');
  await rowIn('pi', 'working');
  await rowIn('pi', 'available');
  await say('pi', 'pi', '/login');
  await rowIn('pi', 'stuck', 'login');
  await press('pi', 'Escape');
  await rowIn('pi', 'available');
  await reset('pi', '/new');
});

test('opencode: composer, work, permission', async () => {
  await begin('opencode', 'opencode', true);
  await rowIn('opencode', 'available');
  await say('opencode', 'opencode', 'please run it');
  await rowIn('opencode', 'working');
  expect((await rowIn('opencode', 'stuck', 'approval')).attention?.summary).toContain('touch asked.txt');
  await answer('opencode', 'opencode', 'Allow once');
  await rowIn('opencode', 'available');
  await reset('opencode', '/new');
});
