import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeAuthority } from '../../../src/identity/authority.ts';
import { refusalReasonOf } from '../../../src/wire/errors.ts';
import type { OnBehalfOf } from '../../../src/wire/gen/fleet/v1/host_agent.ts';
import type { OrderOutcome } from '../../../src/wire/gen/fleet/v1/orders.ts';
import { GrantedCell, message } from '../../helpers/granted-cell.ts';
import { SOON } from '../../helpers/order-cell.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

let ground: GrantedCell;
beforeEach(async () => {
  ground = await GrantedCell.start();
});
afterEach(() => ground?.end());

test.each<[string, Partial<OnBehalfOf> | null, number]>([
  ['nobody', null, status.INVALID_ARGUMENT],
  ['somebody of another domain', { actor: 'spiffe://home/operator/ann' }, status.PERMISSION_DENIED],
  ['somebody of a domain that begins alike', { actor: 'spiffe://partner.evil/operator/ann' }, status.PERMISSION_DENIED],
  ['a controller', { actor: 'spiffe://partner/controller/main' }, status.PERMISSION_DENIED],
  ['whoever reached a socket', { actor: 'local:root@here' }, status.PERMISSION_DENIED],
  ['nobody by name', { actor: '' }, status.PERMISSION_DENIED],
  ['somebody who was spoken for once', { federated: true }, status.PERMISSION_DENIED],
])('a call on behalf of %s is refused, and the refusal kept', async (_, over, code) => {
  await ground.partner.grant({ verbs: ['watch', 'send'] });
  const metadata = over === null ? new Metadata() : ground.partner.behalf(over);
  expect((await failureOf(ground.send({}, metadata))).code).toBe(code);
  expect((await failureOf(ground.explain(await ground.partner.fleet(), 'a', metadata))).code).toBe(code);
  expect(ground.reached).toEqual([]);
  expect((await ground.recordsOf('SendText')).map(({ outcome }) => outcome)).toEqual(['denied']);
});

test('what cannot be read is refused; who is no controller speaks for nobody', async () => {
  await ground.partner.grant({ verbs: ['watch', 'send'] });
  const broken = new Metadata();
  broken.set('fleet-on-behalf-of-bin', Buffer.from([0x0a, 0xff]));
  expect((await failureOf(ground.send({}, broken))).code).toBe(status.INVALID_ARGUMENT);
  const twice = ground.partner.behalf();
  twice.add('fleet-on-behalf-of-bin', Buffer.from(ground.partner.behalf().get('fleet-on-behalf-of-bin')[0] as Buffer));
  expect((await failureOf(ground.send({}, twice))).code).toBe(status.INVALID_ARGUMENT);
  expect((await failureOf(ground.explain(ground.cell.as(ground.dragon)))).code).toBe(status.PERMISSION_DENIED);
  expect((await failureOf(ground.explain(ground.cell.admin()))).code).toBe(status.PERMISSION_DENIED);
  expect(ground.reached).toEqual([]);
});

test('an administrator of another cell is an operator here, and named as its domain names him', async () => {
  await ground.partner.grant({ verbs: ['watch'] });
  const fleet = await ground.partner.fleet();
  await ground.explain(
    fleet,
    'a',
    ground.partner.behalf({ role: 'admin', name: 'root of home', kind: 'local', tenantId: 'a/b' }),
  );
  await ground.explain(
    fleet,
    'a',
    ground.partner.behalf({ actor: 'spiffe://partner/host/h/user/u', role: 'nonsense' }),
  );
  expect(ground.reached.map(({ context: { origin } }) => [origin.name, origin.role, origin.kind])).toEqual([
    ['partner/ann', 'operator', 'controller'],
    ['partner/u@h', 'viewer', 'controller'],
  ]);
});

test('a certificate of the peer that names our domain, a host of the peer, and one that only bears its name are strangers', async () => {
  await ground.partner.grant({ verbs: ['watch', 'send'] });
  const impostor = makeAuthority('partner', Date.now()).authority;
  const named = makeAuthority('home', Date.now()).authority;
  for (const leaf of [
    ground.partner.leaf({ kind: 'host', cell: 'partner', host: 'h', user: 'u' }),
    ground.partner.leaf({ kind: 'operator', cell: 'partner', name: 'ann' }),
    ground.partner.leaf({ kind: 'controller', cell: 'partner', name: 'main' }, impostor),
    ground.partner.forged('spiffe://home/controller/main'),
    ground.partner.forged('spiffe://home/host/dragon-lin/user/u'),
    ground.partner.forged('spiffe://home/operator/root'),
    ground.partner.leaf({ kind: 'controller', cell: 'home', name: 'main' }, named),
    ground.partner.leaf({ kind: 'host', cell: 'home', host: 'dragon-lin', user: 'u' }, named),
  ]) {
    const error = await failureOf(ground.explain(await ground.partner.fleet(leaf)));
    expect([error.code, refusalReasonOf(error)]).toEqual([status.UNAUTHENTICATED, null]);
  }
  expect(ground.reached).toEqual([]);
});

test('two certificates of one peer are one peer: by grants, by orders, and when it ends', async () => {
  const { partner, reached } = ground;
  const { id } = await partner.grant({ verbs: ['watch', 'send'] });
  const second = partner.leaf({ kind: 'controller', cell: 'partner', name: 'second' });
  const [one, other] = [await partner.fleet(), await partner.fleet(second)];
  const tails = [one, other].map((client) => {
    const request = { hostAgent: 'dragon-lin/u', key: 'a', lines: 10, follow: true, lastRun: 0 };
    const call = client.tailTerminal(request, partner.behalf()).resume();
    return new Promise<ServiceError>((resolve) => call.once('error', resolve));
  });
  await until(() => reached.filter(({ call }) => call === 'tailTerminal').length === 2, SOON);
  await partner.revoke(id);
  expect((await Promise.all(tails)).map(refusalReasonOf)).toEqual(['grant_revoked', 'grant_revoked']);
  await partner.grant({ verbs: ['watch', 'send'] });
  ground.gate.resolve();
  await unary<OrderOutcome>((done) => one.sendText(message(), partner.behalf(), done));
  const asked = unary<OrderOutcome>((done) => other.getOrder({ id: 'order-1' }, partner.behalf(), done));
  expect(await asked).toMatchObject({ id: 'order-1', outcome: 'accepted' });
  await partner.removed();
  for (const client of [one, other]) {
    const refused = await failureOf(ground.explain(client));
    expect([refused.code, refusalReasonOf(refused)]).toEqual([status.UNAUTHENTICATED, 'revoked']);
  }
});
