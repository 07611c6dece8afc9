import { readFileSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostAgentEndpoint } from '../../../../src/cli/client/endpoints.ts';
import { GrpcChannel } from '../../../../src/cli/client/grpc-channel.ts';
import { getOrder, sendText } from '../../../../src/cli/client/order-methods.ts';
import { RunningHostAgent } from '../../../helpers/run-host-agent.ts';
import { until } from '../../../helpers/until.ts';
import { newId } from './order-ground.ts';

const FIXTURES = new URL('../../../fixtures/scripted-agents/', import.meta.url).pathname;
const LATER = { timeoutMs: 30_000 };
const deadlineMs = 30_000;

test('the shipped host-agent sends, keeps what became of it over its own restart, and obeys its host’s policy', async () => {
  const host = await RunningHostAgent.start('orders-host');
  try {
    const log = join(host.folder, 'agent');
    const command = `exec ${process.execPath} ${FIXTURES}claude.js ${log}`;
    await host.tmux('new-session', '-d', '-s', 'coder', '-x', '100', '-y', '30', command);
    const said = (): string => {
      try {
        return readFileSync(`${log}.said`, 'utf8');
      } catch {
        return '';
      }
    };
    const hostAgent = `orders-host/${host.config.user}`;
    const rowNow = async () => {
      const mirror = await host.view({ localOnly: true });
      return [...mirror.rowsOf(hostAgent)].find(({ row: { runtimeSeen } }) => runtimeSeen === 'claude')?.row;
    };
    const row = await until(rowNow, LATER);
    await until(() => said() !== '', LATER);
    const target = { hostAgent, key: row.key, paneId: row.tmux!.paneId!, panePid: row.tmux!.pid! };
    const how = { verify: true, timeoutMs: 15_000, waitIdleMs: 0, noLabel: false };
    const request = { id: newId(), target, text: 'hello', sender: { host: 'a lie', session: 'operator' }, ...how };
    const place = async (over: Partial<typeof request> = {}) => {
      using channel = new GrpcChannel(hostAgentEndpoint(host.config.paths));
      return await channel.unary(sendText, { ...request, ...over }, { deadlineMs });
    };
    const outcome = await place();
    expect(outcome).toMatchObject({ outcome: 'accepted', actor: `local:${host.config.user}`, repeated: false });
    expect(said()).toContain('[orders-host:operator -> orders-host:coder] hello');

    const journal = join(host.config.paths.state, 'host-agent/orders.journal');
    expect(statSync(journal).mode & 0o777).toBe(0o600);
    await host.stop();
    await host.begin();
    using channel = new GrpcChannel(hostAgentEndpoint(host.config.paths));
    const told = await channel.unary(getOrder, { id: request.id }, { deadlineMs });
    expect(told).toEqual({ ...outcome, repeated: true });

    await until(rowNow, LATER);
    await mkdir(host.config.paths.config, { recursive: true });
    await writeFile(join(host.config.paths.config, 'host-policy.json'), '{"control":"observe"}');
    const refused = await place({ id: newId(), text: 'not any more' });
    expect(refused).toMatchObject({ outcome: 'refused' });
    expect(refused.reason).toContain('host-policy.json');
    expect(said()).not.toContain('not any more');
  } finally {
    await host.remove();
  }
});
