import { once } from 'node:events';
import { type ClientReadableStream, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CallContext } from '../../../host-agent/calls/own-calls.ts';
import { watchAudit } from '../../../src/cli/client/admin-methods.ts';
import { listGrants } from '../../../src/cli/client/grant-methods.ts';
import { makeAuthority } from '../../../src/identity/authority.ts';
import { type Clock, systemClock } from '../../../src/runtime/clock.ts';
import { refusalReasonOf } from '../../../src/wire/errors.ts';
import { AdminServiceClient } from '../../../src/wire/gen/fleet/v1/admin.ts';
import type { AuditRecord } from '../../../src/wire/gen/fleet/v1/audit.ts';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { OnBehalfOf } from '../../../src/wire/gen/fleet/v1/host_agent.ts';
import type { ControlAgentRequest, OrderOutcome, SendTextRequest } from '../../../src/wire/gen/fleet/v1/orders.ts';
import type { ExplainAgentResponse, TailTerminalResponse } from '../../../src/wire/gen/fleet/v1/terminal.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { ForeignCell } from '../../helpers/foreign-cell.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import type { SimulatedHost } from '../../helpers/simulated-host.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const HOUR_MS = 3_600_000;
const TARGET = { hostAgent: 'dragon-lin/u', key: 'a', paneId: '%1', panePid: 7 };
const NO_SUCH_AGENT = 'no such agent: see "fleet ps"';

let aheadMs = 0;
const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };

let cell: SimulatedCell;
let partner: ForeignCell;
let dragon: SimulatedHost;
/** What reached the host: call, request's own words, and who it was told of. */
let reached: { call: string; id: string; context: CallContext }[];
/** Orders and streams go on until it is opened, or they are given up. */
let gate: PromiseWithResolvers<void>;

beforeEach(async () => {
  aheadMs = 0;
  reached = [];
  gate = Promise.withResolvers();
  cell = await SimulatedCell.start({ clock });
  partner = await ForeignCell.joined(cell.controller);
  const held = (context: CallContext) =>
    Promise.race([gate.promise, once(context.signal, 'abort').then(() => Promise.reject(context.signal.reason))]);
  const order = (call: string) => async (request: { id: string }, context: CallContext) => {
    reached.push({ call, id: request.id, context });
    await held(context);
    return outcomeOf(request.id);
  };
  dragon = await cell.host('dragon-lin', {
    calls: {
      explainAgent: async (_request, context) => {
        reached.push({ call: 'explainAgent', id: '', context });
        return { readiness: 'working', reason: '', reasonCode: '', evidence: [], prompt: undefined, rules: 'pi 1' };
      },
      tailTerminal: async (_request, sink, context) => {
        reached.push({ call: 'tailTerminal', id: '', context });
        sink.write({ lines: ['a line'], fullScreen: false, missed: 0, end: undefined, run: undefined });
        await held(context);
      },
      sendText: order('sendText'),
      controlAgent: order('controlAgent'),
      getOrder: async ({ id }, context) => {
        reached.push({ call: 'getOrder', id, context });
        return outcomeOf(id);
      },
    },
  });
  dragon.put(agentRow({ key: 'b', agent: 'notes' }));
  await until(async () => [...(await cell.controller.view()).rowsOf(dragon.id)].length === 2, SOON);
});
afterEach(async () => {
  gate.resolve();
  partner?.close();
  await cell?.end();
});

const outcomeOf = (id: string): OrderOutcome => ({
  id,
  address: '',
  verb: 'send',
  outcome: 'accepted',
  reason: '',
  actor: '',
  beganMs: 1,
  endedMs: 2,
  repeated: false,
});

const message = (over: Partial<SendTextRequest> = {}): SendTextRequest => ({
  id: 'order-1',
  target: TARGET,
  sender: { host: 'pretended', session: 'operator' },
  text: 'hello',
  verify: true,
  timeoutMs: 20_000,
  waitIdleMs: 0,
  noLabel: false,
  ...over,
});

const send = async (over: Partial<SendTextRequest> = {}, metadata = partner.behalf(), from = partner) => {
  const client = await from.fleet();
  return await unary<OrderOutcome>((done) => client.sendText(message(over), metadata, done));
};
const control = async (over: Partial<ControlAgentRequest>) => {
  const client = await partner.fleet();
  const plain = { force: false, rosterDigest: '', adopt: false, migrate: false, purge: false };
  const request = { id: 'c-1', target: TARGET, action: 'stop', timeoutMs: 20_000, ...plain, ...over };
  return await unary<OrderOutcome>((done) => client.controlAgent(request, partner.behalf(), done));
};
const explain = (client: FleetServiceClient, key = 'a', metadata = partner.behalf(), hostAgent = 'dragon-lin/u') =>
  unary<ExplainAgentResponse>((done) => client.explainAgent({ hostAgent, key }, metadata, done));
const told = (error: ServiceError): [number, string] => [error.code, error.details];

const recordsOf = async (verb: string): Promise<AuditRecord[]> => {
  const request = { follow: false, afterSequence: 0n, sinceMs: 0, newest: 0 };
  return await cell.controller.admin(async (channel) => {
    const found: AuditRecord[] = [];
    for await (const { records } of channel.stream(watchAudit, request, { deadlineMs: 10_000 })) found.push(...records);
    return found.filter((record) => record.verb.endsWith(`/${verb}`));
  });
};

/** A tail that has shown something. */
const tailing = async (): Promise<{
  call: ClientReadableStream<TailTerminalResponse>;
  ended: Promise<ServiceError>;
}> => {
  const client = await partner.fleet();
  const request = { hostAgent: 'dragon-lin/u', key: 'a', lines: 10, follow: true, lastRun: 0 };
  const call = client.tailTerminal(request, partner.behalf());
  const ended = new Promise<ServiceError>((resolve) => call.once('error', resolve));
  call.on('end', () => undefined);
  await Promise.race([once(call, 'data'), ended.then((error) => Promise.reject(error))]);
  return { call, ended };
};

test('what is granted goes to the host, on behalf of the operator whom the peer names, as a federated caller', async () => {
  await partner.grant({ agents: ['coder*'], verbs: ['watch', 'send'] });
  gate.resolve();
  expect(await send()).toMatchObject({ id: 'order-1', outcome: 'accepted', address: 'home/dragon-lin/u/coder0-0' });
  expect(reached[0]?.context.origin).toEqual({
    actor: 'spiffe://partner/operator/ann',
    name: 'partner/ann',
    kind: 'controller',
    role: 'operator',
    federated: true,
  });
  const records = await recordsOf('SendText');
  expect(records.map(({ outcome }) => outcome)).toEqual(['allowed', 'done']);
  expect(records[0]).toMatchObject({
    actor: 'spiffe://partner/controller/main',
    onBehalfOf: 'spiffe://partner/operator/ann',
    tenantId: 'default',
    hostAgent: 'dragon-lin/u',
    agent: 'coder0-0',
  });
  expect(await explain(await partner.fleet())).toMatchObject({ rules: 'pi 1' });
});

test('an agent that is not granted is the same as one that does not exist; of one that is seen, the verb is named', async () => {
  await partner.grant({ agents: ['coder*'], verbs: ['watch'] });
  await partner.grant({ agents: ['other'], verbs: ['send'] });
  const client = await partner.fleet();
  const absent = await failureOf(explain(client, 'nobody'));
  expect(told(absent)).toEqual([status.NOT_FOUND, NO_SUCH_AGENT]);
  expect(told(await failureOf(explain(client, 'b')))).toEqual(told(absent));
  expect(told(await failureOf(explain(client, 'a', partner.behalf(), 'W-jarvis/u')))).toEqual(told(absent));
  expect(told(await failureOf(explain(client, 'holder:x')))).toEqual(told(absent));
  expect(told(await failureOf(send({ target: { ...TARGET, key: 'b' } })))).toEqual(told(absent));
  expect(told(await failureOf(send()))).toEqual([
    status.PERMISSION_DENIED,
    'cell home grants partner no send of this agent',
  ]);
  expect(reached).toEqual([]);
});

test('rosters, intents, other people’s orders, findings, the audit and administration are no part of any grant', async () => {
  await partner.grant({ verbs: ['watch', 'send', 'lifecycle', 'takeover'] });
  const fleet = await partner.fleet();
  const behalf = partner.behalf();
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
  const admin = await partner.client(AdminServiceClient, partner.leaf());
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
    expect((await failureOf(control(over))).code).toBe(status.PERMISSION_DENIED);
  }
  expect(reached).toEqual([]);
});

test('agents are stopped and started where lifecycle is granted, and only the peer’s own orders are told of', async () => {
  await partner.grant({ verbs: ['lifecycle'] });
  gate.resolve();
  expect(await control({ action: 'stop' })).toMatchObject({ outcome: 'accepted' });
  const order = (client: FleetServiceClient, id: string, metadata?: Metadata) =>
    unary<OrderOutcome>((done) => (metadata ? client.getOrder({ id }, metadata, done) : client.getOrder({ id }, done)));
  const fleet = await partner.fleet();
  expect(await order(fleet, 'c-1', partner.behalf())).toMatchObject({ id: 'c-1', outcome: 'accepted' });
  const ours = cell.admin();
  await unary((done) => ours.sendText(message({ id: 'ours' }), done));
  const [code, words] = told(await failureOf(order(fleet, 'never', partner.behalf())));
  const unknown = await failureOf(order(fleet, 'ours', partner.behalf()));
  expect(told(unknown)).toEqual([code, words.replace('never', 'ours')]);
  // An id that a peer guesses is another order here, and in the journal of the host.
  await control({ id: 'ours', action: 'start' });
  const ids = reached.filter(({ call }) => call !== 'getOrder').map(({ id }) => id);
  expect(ids).toContain('ours');
  expect(new Set(ids).size).toBe(3);
  const second = await ForeignCell.joined(cell.controller, 'second');
  await second.grant({ verbs: ['lifecycle'] });
  expect((await failureOf(order(await second.fleet(), 'c-1', second.behalf()))).code).toBe(status.NOT_FOUND);
  expect(await order(ours, 'c-1')).toMatchObject({ id: 'c-1', actor: 'spiffe://partner/operator/ann' });
  second.close();
});

test('two certificates of one peer are one peer: by grants, by orders, and when it ends', async () => {
  const { id } = await partner.grant({ verbs: ['watch', 'send'] });
  const second = partner.leaf({ kind: 'controller', cell: 'partner', name: 'second' });
  const [one, other] = [await partner.fleet(), await partner.fleet(second)];
  const order = unary<OrderOutcome>((done) => one.sendText(message(), partner.behalf(), done));
  await until(() => reached.length === 1, SOON);
  gate.resolve();
  await order;
  const asked = unary<OrderOutcome>((done) => other.getOrder({ id: 'order-1' }, partner.behalf(), done));
  expect(await asked).toMatchObject({ id: 'order-1', outcome: 'accepted' });
  gate = Promise.withResolvers();
  const tails = [one, other].map((client) => {
    const request = { hostAgent: 'dragon-lin/u', key: 'a', lines: 10, follow: true, lastRun: 0 };
    const call = client.tailTerminal(request, partner.behalf()).resume();
    return new Promise<ServiceError>((resolve) => call.once('error', resolve));
  });
  await until(() => reached.filter(({ call }) => call === 'tailTerminal').length === 2, SOON);
  await partner.revoke(id);
  expect((await Promise.all(tails)).map(refusalReasonOf)).toEqual(['grant_revoked', 'grant_revoked']);
  await partner.removed();
  for (const client of [one, other]) {
    const refused = await failureOf(explain(client));
    expect([refused.code, refusalReasonOf(refused)]).toEqual([status.UNAUTHENTICATED, 'revoked']);
  }
});

test('a grant is its peer’s alone', async () => {
  await partner.grant({ verbs: ['watch', 'send'] });
  const second = await ForeignCell.joined(cell.controller, 'second');
  expect(told(await failureOf(explain(await second.fleet(), 'a', second.behalf())))).toEqual([
    status.NOT_FOUND,
    NO_SUCH_AGENT,
  ]);
  expect((await failureOf(send({}, second.behalf(), second))).code).toBe(status.PERMISSION_DENIED);
  expect(reached).toEqual([]);
  second.close();
});

test.each<[string, Partial<OnBehalfOf> | null, number]>([
  ['nobody', null, status.INVALID_ARGUMENT],
  ['somebody of another domain', { actor: 'spiffe://home/operator/ann' }, status.PERMISSION_DENIED],
  ['somebody of a domain that begins alike', { actor: 'spiffe://partner.evil/operator/ann' }, status.PERMISSION_DENIED],
  ['a controller', { actor: 'spiffe://partner/controller/main' }, status.PERMISSION_DENIED],
  ['whoever reached a socket', { actor: 'local:root@here' }, status.PERMISSION_DENIED],
  ['nobody by name', { actor: '' }, status.PERMISSION_DENIED],
  ['somebody who was spoken for once', { federated: true }, status.PERMISSION_DENIED],
])('a call on behalf of %s is refused, and the refusal kept', async (_, over, code) => {
  await partner.grant({ verbs: ['watch', 'send'] });
  const metadata = over === null ? new Metadata() : partner.behalf(over);
  expect((await failureOf(send({}, metadata))).code).toBe(code);
  expect((await failureOf(explain(await partner.fleet(), 'a', metadata))).code).toBe(code);
  expect(reached).toEqual([]);
  expect((await recordsOf('SendText')).map(({ outcome }) => outcome)).toEqual(['denied']);
});

test('what cannot be read is refused; who is no controller speaks for nobody', async () => {
  await partner.grant({ verbs: ['watch', 'send'] });
  const broken = new Metadata();
  broken.set('fleet-on-behalf-of-bin', Buffer.from([0x0a, 0xff]));
  expect((await failureOf(send({}, broken))).code).toBe(status.INVALID_ARGUMENT);
  const twice = partner.behalf();
  twice.add('fleet-on-behalf-of-bin', Buffer.from(partner.behalf().get('fleet-on-behalf-of-bin')[0] as Buffer));
  expect((await failureOf(send({}, twice))).code).toBe(status.INVALID_ARGUMENT);
  expect((await failureOf(explain(cell.as(dragon)))).code).toBe(status.PERMISSION_DENIED);
  expect((await failureOf(explain(cell.admin()))).code).toBe(status.PERMISSION_DENIED);
  expect(reached).toEqual([]);
});

test('an administrator of another cell is an operator here, and named as its domain names him', async () => {
  await partner.grant({ verbs: ['watch'] });
  const fleet = await partner.fleet();
  await explain(fleet, 'a', partner.behalf({ role: 'admin', name: 'root of home', kind: 'local', tenantId: 'a/b' }));
  await explain(fleet, 'a', partner.behalf({ actor: 'spiffe://partner/host/h/user/u', role: 'nonsense' }));
  expect(reached.map(({ context: { origin } }) => [origin.name, origin.role, origin.kind])).toEqual([
    ['partner/ann', 'operator', 'controller'],
    ['partner/u@h', 'viewer', 'controller'],
  ]);
});

test('a certificate of the peer that names our domain, a host of the peer, and one that only bears its name are strangers', async () => {
  await partner.grant({ verbs: ['watch', 'send'] });
  const impostor = makeAuthority('partner', Date.now()).authority;
  const named = makeAuthority('home', Date.now()).authority;
  for (const leaf of [
    partner.leaf({ kind: 'host', cell: 'partner', host: 'h', user: 'u' }),
    partner.leaf({ kind: 'operator', cell: 'partner', name: 'ann' }),
    partner.leaf({ kind: 'controller', cell: 'partner', name: 'main' }, impostor),
    partner.forged('spiffe://home/controller/main'),
    partner.forged('spiffe://home/host/dragon-lin/user/u'),
    partner.forged('spiffe://home/operator/root'),
    partner.leaf({ kind: 'controller', cell: 'home', name: 'main' }, named),
    partner.leaf({ kind: 'host', cell: 'home', host: 'dragon-lin', user: 'u' }, named),
  ]) {
    const error = await failureOf(explain(await partner.fleet(leaf)));
    expect([error.code, refusalReasonOf(error)]).toEqual([status.UNAUTHENTICATED, null]);
  }
  expect(reached).toEqual([]);
});

test('a grant that is revoked ends what lives by it with that word, and is good for nothing from then on', async () => {
  const { id } = await partner.grant({ agents: ['coder*'], verbs: ['watch', 'send'] });
  const tail = await tailing();
  const order = failureOf(send());
  await until(() => reached.length === 2, SOON);
  await partner.revoke(id);
  for (const error of [await tail.ended, await order]) {
    expect(told(error)).toEqual([status.PERMISSION_DENIED, 'the grant for this was revoked']);
    expect(refusalReasonOf(error)).toBe('grant_revoked');
  }
  expect(reached.map(({ context }) => context.signal.aborted)).toEqual([true, true]);
  expect(told(await failureOf(explain(await partner.fleet())))).toEqual([status.NOT_FOUND, NO_SUCH_AGENT]);
  expect((await failureOf(send({ id: 'again' }))).code).toBe(status.PERMISSION_DENIED);
  expect(reached.length).toBe(2);
});

test('at the moment of its end a grant ends what lives by it, told as expired; what another grant allows goes on', async () => {
  await partner.grant({ verbs: ['watch'], validMs: 10 * HOUR_MS, agents: ['coder*'] });
  await partner.grant({ verbs: ['send'], validMs: HOUR_MS });
  const tail = await tailing();
  const order = failureOf(send());
  await until(() => reached.length === 2, SOON);
  aheadMs = HOUR_MS;
  const error = await order;
  expect([...told(error), refusalReasonOf(error)]).toEqual([
    status.PERMISSION_DENIED,
    'the grant for this has expired',
    'grant_expired',
  ]);
  expect(reached.map(({ call, context }) => [call, context.signal.aborted])).toEqual([
    ['tailTerminal', false],
    ['sendText', true],
  ]);
  expect((await failureOf(send({ id: 'again' }))).code).toBe(status.PERMISSION_DENIED);
  aheadMs = 10 * HOUR_MS;
  expect(refusalReasonOf(await tail.ended)).toBe('grant_expired');
});

test('a grant that has expired is over for ever, though the clock is set back, and though the controller starts anew', async () => {
  const { id } = await partner.grant({ verbs: ['watch'], validMs: HOUR_MS });
  const client = await partner.fleet();
  gate.resolve();
  await explain(client);
  const statusOf = async () => {
    const request = { id, peer: '' };
    const ask = cell.controller.admin((channel) => channel.unary(listGrants, request, { deadlineMs: 5_000 }));
    return (await ask).grants[0]?.status;
  };
  aheadMs = HOUR_MS;
  const over = told(await failureOf(explain(client)));
  aheadMs = 0;
  // Before it can be on disk, and after.
  expect(told(await failureOf(explain(client)))).toEqual(over);
  aheadMs = HOUR_MS;
  expect(await statusOf()).toBe('expired');
  await until(async () => {
    aheadMs = 0;
    const now = await statusOf();
    if (now !== 'expired') aheadMs = HOUR_MS;
    return now === 'expired';
  }, SOON);
  expect(told(await failureOf(explain(client)))).toEqual(over);
  await cell.controller.stop();
  await cell.controller.begin();
  expect(await statusOf()).toBe('expired');
});

test('a call that was let in the moment before the grant was revoked types nothing', async () => {
  const { id } = await partner.grant({ verbs: ['send'] });
  const client = await partner.fleet();
  await unary((done) => client.whoAmI({}, done));
  // Both are under way at once, over and over: whichever comes first, no order reaches the host after the revocation is told.
  for (let turn = 0; turn < 8; turn++) {
    const grant = turn === 0 ? id : (await partner.grant({ verbs: ['send'] })).id;
    const orders = Array.from({ length: 4 }, (_, at) =>
      failureOf(unary((done) => client.sendText(message({ id: `o-${turn}-${at}` }), partner.behalf(), done))),
    );
    await partner.revoke(grant);
    const before = reached.length;
    const errors = await Promise.all(orders);
    expect(reached.length).toBe(before);
    for (const error of errors) expect([status.PERMISSION_DENIED, status.NOT_FOUND]).toContain(error.code);
  }
  await until(() => reached.every(({ context }) => context.signal.aborted), SOON);
});

test('an agent that is renamed out of a grant ends its watching, as if there were no such agent', async () => {
  await partner.grant({ agents: ['coder*'], verbs: ['watch'] });
  const tail = await tailing();
  dragon.put(agentRow({ key: 'a', agent: 'private' }));
  expect(told(await tail.ended)).toEqual([status.NOT_FOUND, NO_SUCH_AGENT]);
});

test('a peer that is removed is cut at once, is told that it was, and comes back to nothing of what it had', async () => {
  const { id } = await partner.grant({ verbs: ['watch', 'send'] });
  const tail = await tailing();
  await partner.removed();
  const cut = await tail.ended;
  expect([cut.code, refusalReasonOf(cut)]).toEqual([status.UNAUTHENTICATED, 'revoked']);
  const refused = await failureOf(explain(await partner.fleet()));
  expect([refused.code, refusalReasonOf(refused)]).toEqual([status.UNAUTHENTICATED, 'revoked']);
  await partner.join(await partner.invitation());
  expect(told(await failureOf(explain(await partner.fleet())))).toEqual([status.NOT_FOUND, NO_SUCH_AGENT]);
  const { grants } = await cell.controller.admin((channel) =>
    channel.unary(listGrants, { id, peer: '' }, { deadlineMs: 5_000 }),
  );
  expect(grants[0]?.status).toBe('revoked');
});
