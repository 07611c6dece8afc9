import { Metadata, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeAuthority } from '../../../src/identity/authority.ts';
import { refusalReasonOf } from '../../../src/wire/errors.ts';
import type { OnBehalfOf } from '../../../src/wire/gen/fleet/v1/host_agent.ts';
import { GrantedCell } from '../../helpers/granted-cell.ts';
import { failureOf } from '../../helpers/test-cell.ts';

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
