import { afterEach, expect, test } from 'vitest';
import { allowVerbs, listIdentities, removeHost } from '../../../src/cli/client/admin-methods.ts';
import { handedTokenText } from '../../../src/identity/handed-token.ts';
import { parseToken } from '../../../src/identity/token.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { RunningController } from '../../helpers/run-controller.ts';
import { SimulatedHost } from '../../helpers/simulated-host.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 40_000 };
const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

const controller = async (argv: string[] = []): Promise<RunningController> => {
  const running = await RunningController.start({ argv });
  cleanUp.push(() => running.remove());
  return running;
};

const host = async (cell: RunningController, name: string, over: { machineId?: string; tenantId?: string } = {}) => {
  const token = await cell.token(name, 'u', over.tenantId);
  const simulated = await SimulatedHost.enrol({ folder: cell.folder, token, host: name, ...over });
  simulated.start();
  cleanUp.push(() => simulated.stop());
  return simulated;
};

const agentsOf = async (cell: RunningController, id: string): Promise<string[]> =>
  [...(await cell.view()).rowsOf(id)].map((mirrored) => mirrored.row.agent).sort();

test('a host enrols with a token, reports over mutual TLS, and its rows and changes are in the view', async () => {
  const cell = await controller();
  const dragon = await host(cell, 'dragon-lin');
  dragon.put(agentRow({ key: 'a', agent: 'coder0-0' }));
  await until(async () => (await agentsOf(cell, 'dragon-lin/u')).includes('coder0-0'), SOON);
  expect(await cell.link('dragon-lin/u')).toBe('connected null');
  dragon.put(agentRow({ key: 'b', agent: 'second' }));
  dragon.remove('a');
  await until(async () => (await agentsOf(cell, 'dragon-lin/u')).join() === 'second', SOON);
});

test('a clean stop is told as one', async () => {
  const cell = await controller();
  const dragon = await host(cell, 'dragon-lin');
  await until(async () => (await cell.link('dragon-lin/u')) === 'connected null', SOON);
  await dragon.stop();
  await until(async () => (await cell.link('dragon-lin/u')) === 'lost stopped', SOON);
});

test('a restarted controller shows the last rows as unconfirmed, then the host resumes by itself', async () => {
  const cell = await controller();
  const dragon = await host(cell, 'dragon-lin');
  dragon.put(agentRow({ key: 'a', agent: 'coder0-0' }));
  await until(async () => (await agentsOf(cell, 'dragon-lin/u')).length === 1, SOON);
  await dragon.stop();
  await cell.stop();
  await cell.begin();
  expect(await agentsOf(cell, 'dragon-lin/u')).toEqual(['coder0-0']);
  expect(await cell.link('dragon-lin/u')).toBe('unconfirmed controller_started');
});

test('a host-agent outlives its controller and is back without anybody’s help', async () => {
  const cell = await controller();
  const dragon = await host(cell, 'dragon-lin');
  await until(async () => (await cell.link('dragon-lin/u')) === 'connected null', SOON);
  await cell.stop();
  dragon.put(agentRow({ key: 'a', agent: 'meanwhile' }));
  await cell.begin();
  await until(async () => (await agentsOf(cell, 'dragon-lin/u')).includes('meanwhile'), SOON);
  expect(await cell.link('dragon-lin/u')).toBe('connected null');
});

test('a host that an operator removes is cut and its rows are gone', async () => {
  const cell = await controller();
  const dragon = await host(cell, 'dragon-lin');
  dragon.put(agentRow({ key: 'a' }));
  await until(async () => (await agentsOf(cell, 'dragon-lin/u')).length === 1, SOON);
  const removed = await cell.ask(removeHost, { host: 'dragon-lin', user: '' });
  expect(removed.removed).toEqual(['spiffe://home/host/dragon-lin/user/u']);
  await until(async () => (await cell.link('dragon-lin/u')) === null, SOON);
  await until(() => dragon.uplink.standing.state === 'refused', SOON);
});

test('the same name on another machine is refused, and so is the same machine under another name', async () => {
  const cell = await controller();
  await host(cell, 'dragon-lin', { machineId: 'm1' });
  await expect(host(cell, 'dragon-lin', { machineId: 'm2' })).rejects.toThrow(/--name|--replace/);
  await expect(host(cell, 'other-name', { machineId: 'm1' })).rejects.toThrow(/--name|--replace/);
});

test('a token serves once', async () => {
  const cell = await controller();
  const token = await cell.token('dragon-lin');
  await SimulatedHost.enrol({ folder: `${cell.folder}/one`, token, host: 'dragon-lin' });
  await expect(SimulatedHost.enrol({ folder: `${cell.folder}/two`, token, host: 'dragon-lin' })).rejects.toThrow(
    /not accepted/,
  );
  await expect(SimulatedHost.enrol({ folder: `${cell.folder}/one`, token, host: 'dragon-lin' })).resolves.toBeDefined();
});

test('a row of one host changes nothing of another, and a caller sees its own tenant only', async () => {
  const cell = await controller();
  const mine = await host(cell, 'mine', { tenantId: 'acme' });
  const theirs = await host(cell, 'theirs', { tenantId: 'other' });
  mine.put(agentRow({ key: 'a', agent: 'mine-agent' }));
  theirs.put(agentRow({ key: 'a', agent: 'their-agent' }));
  await until(async () => (await agentsOf(cell, 'theirs/u')).length === 1, SOON);
  const { FleetServiceClient } = await import('../../../src/wire/gen/fleet/v1/fleet.ts');
  const { credentials } = await import('@grpc/grpc-js');
  await until(() => mine.uplink.channel !== null, SOON);
  const client = new FleetServiceClient('', credentials.createInsecure(), {
    channelOverride: mine.uplink.channel as NonNullable<typeof mine.uplink.channel>,
  });
  const frames: unknown[] = [];
  const call = client.watchAgents({ follow: false, resumeToken: '', localOnly: false, hostsOnly: false });
  for await (const frame of call) frames.push(frame);
  expect(JSON.stringify(frames)).toContain('mine/u');
  expect(JSON.stringify(frames)).not.toContain('theirs');
});

test('what may be allowed to a host is listed, and unknown verbs are refused', async () => {
  const cell = await controller();
  await host(cell, 'dragon-lin');
  const allow = (verbs: string[]) => cell.ask(allowVerbs, { host: 'dragon-lin', user: '', verbs });
  expect((await allow(['send'])).verbs).toEqual(['send']);
  await expect(allow(['everything'])).rejects.toThrow(/everything/);
  const { identities } = await cell.ask(listIdentities, {});
  expect(identities.map(({ spiffeId }) => spiffeId)).toEqual(['spiffe://home/host/dragon-lin/user/u']);
});

test('a machine that is enrolled under a new name leaves nothing of the old one behind, also for the next controller', async () => {
  const cell = await controller();
  const old = await host(cell, 'old-name', { machineId: 'm1' });
  old.put(agentRow({ key: 'a', agent: 'coder0-0' }));
  await until(async () => (await agentsOf(cell, 'old-name/u')).length === 1, SOON);
  const token = await cell.token('new-name', 'u', '', true);
  const renamed = await SimulatedHost.enrol({ folder: cell.folder, token, host: 'new-name', machineId: 'm1' });
  renamed.start();
  cleanUp.push(() => renamed.stop());
  await until(async () => (await cell.link('new-name/u')) === 'connected null', SOON);
  await until(async () => [...(await cell.view()).hostAgentIds()].join() === 'new-name/u', SOON);
  await cell.stop();
  await cell.begin();
  expect([...(await cell.view()).hostAgentIds()]).toEqual(['new-name/u']);
});

test('another cell’s controller at one of the addresses does not keep a host from its own', async () => {
  const cell = await controller();
  const other = await controller();
  const elsewhere = parseToken(await other.token('x')).addresses;
  const token = handedTokenText({ token: await cell.token('dragon-lin'), addresses: elsewhere });
  const dragon = await SimulatedHost.enrol({ folder: cell.folder, token, host: 'dragon-lin' });
  expect(dragon.id).toBe('dragon-lin/u');
});
