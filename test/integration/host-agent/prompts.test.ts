import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hostAgentEndpoint } from '../../../src/cli/client/endpoints.ts';
import { GrpcChannel } from '../../../src/cli/client/grpc-channel.ts';
import { explainAgent } from '../../../src/cli/client/order-methods.ts';
import type { AgentRow } from '../../../src/domain/agent-row.ts';
import { lookalike, lookalikeLog } from '../../helpers/lookalike.ts';
import { RunningHostAgent } from '../../helpers/run-host-agent.ts';
import { until } from '../../helpers/until.ts';

const PATIENCE = { timeoutMs: 30_000 };
const programs = mkdtempSync(join(tmpdir(), 'fleet-lookalikes-'));
let host: RunningHostAgent;

beforeAll(async () => {
  host = await RunningHostAgent.start('prompts');
});
afterAll(async () => {
  await host.remove();
  rmSync(programs, { recursive: true, force: true });
});

const begin = (session: string, command: string) =>
  host.tmux('new-session', '-d', '-s', session, '-x', '100', '-y', '40', command);
const press = (session: string, ...keys: string[]) => host.tmux('send-keys', '-t', `=${session}:`, ...keys);
const row = async (session: string): Promise<AgentRow | undefined> => {
  const mirror = await host.view({ localOnly: true });
  return [...mirror.hostAgentIds()].flatMap((id) => [...mirror.rowsOf(id)]).find((each) => each.row.agent === session)
    ?.row;
};
const rowThat = (session: string, fits: (row: AgentRow) => boolean): Promise<AgentRow> =>
  until(async () => {
    const found = await row(session);
    return found !== undefined && fits(found) ? found : null;
  }, PATIENCE);
const rowIn = (session: string, readiness: string) => rowThat(session, (found) => found.readiness === readiness);
const explain = async (key: string) => {
  using channel = new GrpcChannel(hostAgentEndpoint(host.config.paths));
  const mirror = await host.view({ localOnly: true });
  const [hostAgent] = mirror.hostAgentIds();
  return await channel.unary(explainAgent, { hostAgent: hostAgent as string, key }, { deadlineMs: 10_000 });
};

test('an agent parked at a trust prompt is stuck with that reason, and no longer once somebody answered', async () => {
  const log = join(programs, 'parked.log');
  await begin('parked', lookalike(programs, 'claude', { start: 'trust', log }));
  const stuck = await rowIn('parked', 'stuck');
  expect([stuck.runtimeSeen, stuck.reason, stuck.reasonCode]).toEqual([
    'claude',
    'asks whether to trust the folder',
    'trust_prompt',
  ]);
  expect(stuck.attention).toMatchObject({ need: 'trust', rule: 'claude/trust-folder' });
  expect(stuck.attention?.summary).toContain('Accessing workspace');
  // Looking does not clear it, and moving the choice is no other prompt.
  await press('parked', 'Down');
  await until(
    async () => (await host.tmux('capture-pane', '-p', '-t', '=parked:')).includes('❯ Yes, I trust'),
    PATIENCE,
  );
  const told = await explain(stuck.key);
  expect(told.prompt?.choices.map(({ selected }) => selected)).toEqual([false, true]);
  expect(told.prompt?.promptId).toBe(stuck.attention?.id);
  expect((await row('parked'))?.attention).toEqual(stuck.attention);
  await press('parked', 'Enter');
  const free = await rowIn('parked', 'available');
  expect([free.attention, free.reason, free.reasonCode]).toEqual([null, null, null]);
  expect(lookalikeLog(log)).toEqual([{ menu: 'trust', choice: 'Yes, I trust this folder' }]);
});

test.each(['claude', 'codex'] as const)(
  '%s works, asks for approval, works on and waits for the next',
  async (runtime) => {
    const session = `busy-${runtime}`;
    await begin(session, lookalike(programs, runtime, { workSeconds: 2 }));
    await rowIn(session, 'available');
    await press(session, 'run rm -rf build', 'Enter');
    await rowIn(session, 'working');
    const stuck = await rowIn(session, 'stuck');
    expect([stuck.reasonCode, stuck.attention?.need, stuck.reason]).toEqual([
      'approval',
      'approval',
      'asks for approval',
    ]);
    expect(stuck.attention?.summary).toContain('rm -rf build');
    await press(session, '1');
    await rowIn(session, 'working');
    await rowIn(session, 'available');
    // The same words asked again are the same prompt; other words are another one.
    await press(session, 'run rm -rf build', 'Enter');
    expect((await rowIn(session, 'stuck')).attention?.id).toBe(stuck.attention?.id);
    await press(session, 'Escape');
    await rowIn(session, 'available');
    await press(session, 'run rm -rf /', 'Enter');
    expect((await rowIn(session, 'stuck')).attention?.id).not.toBe(stuck.attention?.id);
  },
);

test('pi without a login is stuck', async () => {
  await begin('no-login', lookalike(programs, 'pi', { start: 'login' }));
  const stuck = await rowIn('no-login', 'stuck');
  expect([stuck.reasonCode, stuck.attention?.rule]).toEqual(['login', 'pi/login']);
});

test('a prompt of a program that is no runtime is nobody’s need', async () => {
  await begin('quote', 'printf "Do you want to proceed?\\n ❯ 1. Yes\\n   2. No\\n"; exec sleep 1000');
  await begin('answering', lookalike(programs, 'claude', { start: 'approval' }));
  await rowIn('answering', 'stuck');
  expect((await row('quote'))?.readiness).toBe('working');
});

test('while nothing changes nothing is read', async () => {
  await begin('quiet', lookalike(programs, 'codex'));
  const count = '"set -gF @captures \\"#{e|+:#{@captures},1}\\""';
  await host.tmux('set-option', '-g', '@captures', '0');
  await host.tmux('set-hook', '-g', 'after-capture-pane', `if -F "#{==:#{session_name},quiet}" ${count}`);
  const captures = async () => Number(await host.tmux('show-options', '-gv', '@captures'));
  await rowIn('quiet', 'available');
  await press('quiet', 'x');
  await until(async () => (await captures()) >= 2, PATIENCE);
  let last = { count: 0, sinceMs: 0 };
  const settled = await until(async () => {
    const count = await captures();
    if (count !== last.count) last = { count, sinceMs: performance.now() };
    return performance.now() - last.sinceMs > 4_000 ? count : null;
  }, PATIENCE);
  // Looks go on, for others.
  for (const name of ['other-1', 'other-2', 'other-3']) {
    await begin(name, lookalike(programs, 'codex', { start: 'trust' }));
    await rowIn(name, 'stuck');
  }
  expect(await captures()).toBe(settled);
  await press('quiet', 'y');
  await until(async () => (await captures()) > settled, PATIENCE);
});

test('explain tells every piece of evidence, with the one that decided and the rules that were used', async () => {
  await begin('why', lookalike(programs, 'codex', { start: 'approval' }));
  const stuck = await rowIn('why', 'stuck');
  const told = await explain(stuck.key);
  expect([told.readiness, told.reason, told.reasonCode]).toEqual(['stuck', 'asks for approval', 'approval']);
  expect(told.evidence.filter(({ decisive }) => decisive)).toEqual([
    { source: 'screen', fact: 'blocked by codex/approval', decisive: true },
  ]);
  expect(told.evidence.map(({ fact }) => fact)).toContain('runs codex');
  expect(told.rules).toMatch(/^codex rules \d{4}-/);
  expect(told.prompt?.excerpt.join('\n')).toContain('Would you like to run the following command?');
  expect(told.prompt?.choices.map(({ name }) => name)).toEqual(['1', '2', '3']);
});

test('a user’s own rule is tried first, and a broken file is a warning of the host', async () => {
  const folder = join(host.config.paths.config, 'runtime-rules');
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'pi.json'),
    '{"format": 1, "runtime": "pi", "version": "mine", "rules": [{"name": "X"}]}',
  );
  const warnings = async () => {
    const mirror = await host.view({ localOnly: true });
    const [id] = mirror.hostAgentIds();
    return mirror.momentOf(id as string, performance.now())?.host.facts?.warnings ?? [];
  };
  await begin('mine', lookalike(programs, 'pi'));
  await until(
    async () => (await warnings()).some((words) => /runtime-rules\/pi\.json: .*rules\[0\]/.test(words)),
    PATIENCE,
  );
  await rowIn('mine', 'available');
  const rule = {
    name: 'house',
    state: 'blocked',
    seen: true,
    reasonCode: 'question',
    need: 'question',
    reason: 'asks the house',
    composer: 'present',
    when: [{ where: 'above-composer', has: ['HOUSE\\?'] }],
  };
  const rules = { format: 1, runtime: 'pi', version: 'mine', rules: [rule] };
  await writeFile(join(folder, 'pi.json'), JSON.stringify(rules));
  await until(async () => (await warnings()).every((words) => !words.includes('runtime-rules')), PATIENCE);
  await press('mine', 'HOUSE?', 'Enter');
  const stuck = await rowIn('mine', 'stuck');
  expect([stuck.reason, stuck.attention?.rule]).toEqual(['asks the house', 'pi/house']);
  expect((await explain(stuck.key)).rules).toContain(join(folder, 'pi.json'));
});
