import { type Metadata, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AdminServiceClient } from '../../../src/wire/gen/fleet/v1/admin.ts';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { OrderOutcome } from '../../../src/wire/gen/fleet/v1/orders.ts';
import { ForeignCell } from '../../helpers/foreign-cell.ts';
import { GrantedCell, message, NO_SUCH_AGENT, told } from '../../helpers/granted-cell.ts';
import { TARGET } from '../../helpers/order-cell.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';

let ground: GrantedCell;
beforeEach(async () => {
  ground = await GrantedCell.start();
});
afterEach(() => ground?.end());

test('what is granted goes to the host, on behalf of the operator whom the peer names, as a federated caller', async () => {
  await ground.partner.grant({ agents: ['coder*'], verbs: ['watch', 'send'] });
  ground.gate.resolve();
  expect(await ground.send()).toMatchObject({
    id: 'order-1',
    outcome: 'accepted',
    address: 'home/dragon-lin/u/coder0-0',
  });
  expect(ground.reached[0]?.context.origin).toEqual({
    actor: 'spiffe://partner/operator/ann',
    name: 'partner/ann',
    kind: 'controller',
    role: 'operator',
    federated: true,
  });
  const records = await ground.recordsOf('SendText');
  expect(records.map(({ outcome }) => outcome)).toEqual(['allowed', 'done']);
  expect(records[0]).toMatchObject({
    actor: 'spiffe://partner/controller/main',
    onBehalfOf: 'spiffe://partner/operator/ann',
    tenantId: 'default',
    hostAgent: 'dragon-lin/u',
    agent: 'coder0-0',
  });
  expect(await ground.explain(await ground.partner.fleet())).toMatchObject({ rules: 'pi 1' });
});

test('an agent that is not granted is the same as one that does not exist; of one that is seen, the verb is named', async () => {
  await ground.partner.grant({ agents: ['coder*'], verbs: ['watch'] });
  await ground.partner.grant({ agents: ['other'], verbs: ['send'] });
  const client = await ground.partner.fleet();
  const absent = await failureOf(ground.explain(client, 'nobody'));
  expect(told(absent)).toEqual([status.NOT_FOUND, NO_SUCH_AGENT]);
  expect(told(await failureOf(ground.explain(client, 'b')))).toEqual(told(absent));
  expect(told(await failureOf(ground.explain(client, 'a', ground.partner.behalf(), 'W-jarvis/u')))).toEqual(
    told(absent),
  );
  expect(told(await failureOf(ground.explain(client, 'holder:x')))).toEqual(told(absent));
  expect(told(await failureOf(ground.send({ target: { ...TARGET, key: 'b' } })))).toEqual(told(absent));
  expect(told(await failureOf(ground.send()))).toEqual([
    status.PERMISSION_DENIED,
    'cell home grants partner no send of this agent',
  ]);
  expect(ground.reached).toEqual([]);
});

test('rosters, intents, other people’s orders, findings, the audit and administration are no part of any grant', async () => {
  await ground.partner.grant({ verbs: ['watch', 'send', 'lifecycle', 'takeover'] });
  const fleet = await ground.partner.fleet();
  const behalf = ground.partner.behalf();
  const at = { hostAgent: 'dragon-lin/u' };
  const codes = [
    unary((done) => fleet.getRoster(at, behalf, done)),
    unary((done) =>
      fleet.putRoster({ ...at, id: 'r', text: 'x', expectedDigest: '', force: true, timeoutMs: 0 }, behalf, done),
    ),
    unary((done) => fleet.putIntent({ ...at, id: 'i', expiresMs: 0, steps: [] }, behalf, done)),
    unary((done) => fleet.getIntent(at, behalf, done)),
    unary((done) => fleet.listOrders({ ...at, newest: 1 }, behalf, done)),
    unary((done) => fleet.getAuditHeads(at, behalf, done)),
    unary((done) => fleet.diagnose({ host: 'dragon-lin' }, behalf, done)),
  ].map(async (call) => (await failureOf(call)).code);
  expect(new Set(await Promise.all(codes))).toEqual(new Set([status.PERMISSION_DENIED]));
  const admin = await ground.partner.client(AdminServiceClient, ground.partner.leaf());
  const request = { host: 'x', user: 'u', tenantId: '', validSeconds: 60, replace: true };
  expect((await failureOf(unary((done) => admin.createToken(request, behalf, done)))).code).toBe(
    status.PERMISSION_DENIED,
  );
  for (const over of [
    { action: 'deploy' },
    { action: 'remove' },
    { force: true },
    { migrate: true },
    { purge: true },
  ]) {
    expect((await failureOf(ground.control(over))).code).toBe(status.PERMISSION_DENIED);
  }
  expect(ground.reached).toEqual([]);
});

test('agents are stopped and started where lifecycle is granted, and only the peer’s own orders are told of', async () => {
  await ground.partner.grant({ verbs: ['lifecycle'] });
  ground.gate.resolve();
  expect(await ground.control({ action: 'stop' })).toMatchObject({ outcome: 'accepted' });
  const order = (client: FleetServiceClient, id: string, metadata?: Metadata) =>
    unary<OrderOutcome>((done) => (metadata ? client.getOrder({ id }, metadata, done) : client.getOrder({ id }, done)));
  const fleet = await ground.partner.fleet();
  expect(await order(fleet, 'c-1', ground.partner.behalf())).toMatchObject({ id: 'c-1', outcome: 'accepted' });
  const ours = ground.cell.admin();
  await unary((done) => ours.sendText(message({ id: 'ours' }), done));
  const [code, words] = told(await failureOf(order(fleet, 'never', ground.partner.behalf())));
  const unknown = await failureOf(order(fleet, 'ours', ground.partner.behalf()));
  expect(told(unknown)).toEqual([code, words.replace('never', 'ours')]);
  // An id that a peer guesses is another order here, and in the journal of the host.
  await ground.control({ id: 'ours', action: 'start' });
  const ids = ground.reached.filter(({ call }) => call !== 'getOrder').map(({ id }) => id);
  expect(ids).toContain('ours');
  expect(new Set(ids).size).toBe(3);
  const second = await ForeignCell.joined(ground.cell.controller, 'second');
  await second.grant({ verbs: ['lifecycle'] });
  expect((await failureOf(order(await second.fleet(), 'c-1', second.behalf()))).code).toBe(status.NOT_FOUND);
  expect(await order(ours, 'c-1')).toMatchObject({ id: 'c-1', actor: 'spiffe://partner/operator/ann' });
  second.close();
});

test('a grant is its peer’s alone', async () => {
  await ground.partner.grant({ verbs: ['watch', 'send'] });
  const second = await ForeignCell.joined(ground.cell.controller, 'second');
  expect(told(await failureOf(ground.explain(await second.fleet(), 'a', second.behalf())))).toEqual([
    status.NOT_FOUND,
    NO_SUCH_AGENT,
  ]);
  expect((await failureOf(ground.send({}, second.behalf(), second))).code).toBe(status.PERMISSION_DENIED);
  expect(ground.reached).toEqual([]);
  second.close();
});
