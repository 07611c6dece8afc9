import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inviteOperator, listOperators, revokeOperator } from '../../../controller/enrollment/operators.ts';
import { addTenant } from '../../../controller/tenancy/tenants.ts';
import { readCertificate } from '../../../src/identity/certificate.ts';
import { makeCsr } from '../../../src/identity/csr.ts';
import { makeKey } from '../../../src/identity/key.ts';
import { type JoinToken, parseToken } from '../../../src/identity/token.ts';
import { AdminServiceClient } from '../../../src/wire/gen/fleet/v1/admin.ts';
import type { ListIdentitiesResponse } from '../../../src/wire/gen/fleet/v1/admin_messages.ts';
import { EnrollmentServiceClient } from '../../../src/wire/gen/fleet/v1/enrollment.ts';
import type { InviteOperatorRequest } from '../../../src/wire/gen/fleet/v1/operators.ts';
import { failureOf, TestCell, unary } from '../../helpers/test-cell.ts';

const MINUTE_MS = 60_000;

describe('operators', () => {
  let cell: TestCell;
  beforeEach(async () => {
    cell = await (await new TestCell().start()).open();
  });
  afterEach(() => cell.stop());

  const invite = async (wish: Partial<InviteOperatorRequest> = {}): Promise<JoinToken> => {
    const whole = { name: 'maria', role: 'viewer', tenants: [], takeover: false, validSeconds: 0, ...wish };
    return parseToken((await inviteOperator(whole, cell.issuing())).token, 'operator');
  };
  const listed = () => listOperators(cell.records, cell.clock.nowMs(), () => null);
  const identity = (name = 'maria') => cell.records.identities.get(`spiffe://home/operator/${name}`);

  test('an invitation makes exactly the named operator, whatever the request says', async () => {
    for (const tenantId of ['acme', 'beta']) await addTenant(cell.records, tenantId, { nowMs: 0, by: 'test' });
    const token = await invite({ role: 'operator', tenants: ['acme', 'beta', 'acme'], takeover: true });
    const enrolled = await cell.enroll(token, { host: 'W-jarvis', user: 'root' });
    expect(readCertificate(enrolled.certificatePem).uri).toBe('spiffe://home/operator/maria');
    expect(identity()).toMatchObject({
      ...{ kind: 'operator', name: 'maria', host: '', user: '', machineId: '', role: 'operator' },
      ...{ tenantId: 'acme', tenants: ['acme', 'beta'], takeover: true, revoked: false },
    });
  });

  test.each([
    [{ name: '../x' }, 'name "../x"'],
    [{ role: 'root' }, 'role "root": one of viewer, operator, admin'],
    [{ tenants: ['a b'] }, 'tenant "a b"'],
    [{ role: 'admin', tenants: ['acme'] }, 'an admin is told of every tenant'],
    [{ takeover: true }, 'a viewer types nothing'],
    [{ validSeconds: 901 }, 'at most 15 minutes'],
  ])('%j is no invitation', async (wish, words) => {
    await expect(invite(wish)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(words),
    });
    expect([...cell.records.tokens.entries()]).toEqual([]);
  });

  test('the same invitation with the same key is the same certificate; with another key it is refused', async () => {
    const token = await invite();
    const first = await cell.enroll(token);
    expect((await cell.enroll(token, { key: first.key })).certificatePem).toBe(first.certificatePem);
    expect(await failureOf(cell.enroll(token))).toMatchObject({ code: status.PERMISSION_DENIED });
  });

  test('an invitation takes the place of the unused one of that name: the role that is listed is the one that can be had', async () => {
    const [mistaken, ofSomebodyElse] = [await invite({ role: 'admin' }), await invite({ name: 'nadia' })];
    const corrected = await invite();
    expect(await failureOf(cell.enroll(mistaken))).toMatchObject({ code: status.PERMISSION_DENIED });
    await cell.enroll(corrected);
    await cell.enroll(ofSomebodyElse);
    expect(listed().map(({ name, role, state }) => `${name} ${role} ${state}`)).toEqual([
      'maria viewer active',
      'nadia viewer active',
    ]);
  });

  test('a name that somebody bears is not taken over', async () => {
    await cell.enroll(await invite());
    expect(identity()).toMatchObject({ role: 'viewer' });
    await expect(invite()).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await expect(invite({ name: 'nadia', tenants: ['ghost'] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('an invitation that was withdrawn or ran out makes nobody', async () => {
    const withdrawn = await invite();
    expect(await revokeOperator(cell.records, 'home', 'maria')).toBe('');
    expect(await failureOf(cell.enroll(withdrawn))).toMatchObject({ code: status.PERMISSION_DENIED });
    const late = await invite({ validSeconds: 60 });
    cell.clock.advance(MINUTE_MS);
    expect(await failureOf(cell.enroll(late))).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(listed()).toEqual([]);
  });

  test.each([
    ['withdrawn', () => revokeOperator(cell.records, 'home', 'maria')],
    ['replaced', () => invite().then(() => revokeOperator(cell.records, 'home', 'maria'))],
  ])('an invitation that is %s while it is being used makes nobody', async (_, meanwhile) => {
    const token = await invite({ role: 'admin' });
    cell.whileRecording('enroll', meanwhile);
    expect(await failureOf(cell.enroll(token))).toMatchObject({ code: status.ABORTED });
    expect(await failureOf(cell.enroll(token))).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(listed()).toEqual([]);
  });

  test('an admin who is revoked while a change of his is written down changes nothing', async () => {
    const boss = await cell.enroll(await invite({ role: 'admin' }));
    const rotates = (step: string) =>
      unary((done) => cell.client(AdminServiceClient, boss).rotateAuthority({ step, force: true }, done));
    await rotates('begin');
    cell.whileRecording('/fleet.v1.AdminService/RotateAuthority', () => revokeOperator(cell.records, 'home', 'maria'));
    expect(await failureOf(rotates('switch'))).toMatchObject({ code: status.UNAUTHENTICATED });
    expect(await cell.rotation.inTurn(async () => cell.authority.phase)).toBe('begun');
  });

  test('an admin who is revoked has no way back: what he invited and made tokens for is void with him', async () => {
    const boss = await cell.enroll(await invite({ name: 'boss', role: 'admin' }));
    const admin = cell.client(AdminServiceClient, boss);
    const wish = { role: 'admin', tenants: [], takeover: false, validSeconds: 0 };
    await unary((done) => admin.inviteOperator({ ...wish, name: 'eve' }, done));
    const host = { host: 'W-eve', user: 'eve', tenantId: '', validSeconds: 0, replace: false };
    await unary((done) => admin.createToken(host, done));
    await unary((done) => admin.invitePeer({ cell: 'eves', tenants: [], validSeconds: 0 }, done));
    await invite({ name: 'maria' });
    await revokeOperator(cell.records, 'home', 'boss');
    const open = [...cell.records.tokens.entries()].filter(([, { used }]) => used === null);
    expect(open.map(([, { operator }]) => operator?.name)).toEqual(['maria']);
    expect([...cell.records.invitations.entries()]).toEqual([]);
    await expect(revokeOperator(cell.records, 'home', 'boss')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a revoked key is never good again: not renewed, not with a new invitation; another key is', async () => {
    const old = await cell.enroll(await invite());
    await revokeOperator(cell.records, 'home', 'maria');
    const client = cell.client(EnrollmentServiceClient, old);
    const request = { csr: makeCsr(old.key), machineId: '', expiredCertificatePem: old.certificatePem };
    expect(await failureOf(unary((done) => client.renew(request, done)))).toMatchObject({
      code: status.PERMISSION_DENIED,
    });
    const again = await invite();
    expect(await failureOf(cell.enroll(again, { key: old.key }))).toMatchObject({ code: status.PERMISSION_DENIED });
    await cell.enroll(again, { key: makeKey() });
    expect(listed()).toMatchObject([{ name: 'maria', state: 'active' }]);
    await expect(revokeOperator(cell.records, 'home', 'nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('are listed as invited, active, expired and revoked', async () => {
    await cell.enroll(await invite({ name: 'active' }));
    await cell.enroll(await invite({ name: 'gone' }));
    await revokeOperator(cell.records, 'home', 'gone');
    await invite({ name: 'invited', role: 'admin' });
    const states = () => listed().map(({ name, state }) => `${name} ${state}`);
    expect(states()).toEqual(['active active', 'gone revoked', 'invited invited']);
    cell.clock.advance(8 * 24 * 60 * MINUTE_MS);
    expect(states()).toEqual(['active expired', 'gone revoked']);
  });

  test('an admin elsewhere lists identities, a host does not', async () => {
    const boss = await cell.enroll(await invite({ role: 'admin' }));
    const host = await cell.enroll(await cell.token());
    const listing = (who: typeof boss) =>
      unary<ListIdentitiesResponse>((done) => cell.client(AdminServiceClient, who).listIdentities({}, done));
    expect((await listing(boss)).identities).toHaveLength(2);
    expect(await failureOf(listing(host))).toMatchObject({ code: status.PERMISSION_DENIED });
  });
});
