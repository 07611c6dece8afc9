import { afterAll, beforeAll, expect, test } from 'vitest';
import { hostAgentEndpoint } from '../../../src/cli/client/endpoints.ts';
import { GrpcChannel } from '../../../src/cli/client/grpc-channel.ts';
import { whoAmI } from '../../../src/cli/client/methods.ts';
import { RunningHostAgent } from '../../helpers/run-host-agent.ts';
import { until } from '../../helpers/until.ts';

let agent: RunningHostAgent;

beforeAll(async () => {
  agent = await RunningHostAgent.start('W-jarvis');
  await agent.tmux('new-session', '-d', '-s', 'coder', 'sh -c "sleep 1000; true"');
});

afterAll(() => agent?.remove());

const sessionOf = async (pid?: number): Promise<string | undefined> => {
  using channel = new GrpcChannel(hostAgentEndpoint(agent.config.paths));
  const { session } = await channel.unary(whoAmI, pid === undefined ? {} : { pid }, { deadlineMs: 10_000 });
  return session;
};

test('a host-agent tells in which of its agents’ panes a process runs, when it is asked for one', async () => {
  const pane = Number(await agent.tmux('display-message', '-p', '-t', '=coder:', '#{pane_pid}'));
  await until(async () => (await sessionOf(pane)) === 'coder', { timeoutMs: 20_000 });
  expect(await sessionOf(process.pid)).toBe('operator');
  expect(await sessionOf(1)).toBe(process.getuid?.() === 0 ? 'operator' : 'unproven');
  expect(await sessionOf()).toBeUndefined();
});
