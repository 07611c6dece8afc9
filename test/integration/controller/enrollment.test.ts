import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { quarantineHost } from '../../../controller/enrollment/quarantine.ts';
import { revokeHost } from '../../../controller/enrollment/revoke.ts';
import { bindUser } from '../../../controller/tenancy/bindings.ts';
import { allowVerbs, ceilingOf } from '../../../controller/tenancy/ceilings.ts';
import { addTenant } from '../../../controller/tenancy/tenants.ts';
import { readCertificate } from '../../../src/identity/certificate.ts';
import { makeCsr } from '../../../src/identity/csr.ts';
import { makeKey } from '../../../src/identity/key.ts';
import { parseSpiffeId } from '../../../src/identity/spiffe-id.ts';
import { hashTokenSecret } from '../../../src/identity/token.ts';
import { EnrollmentServiceClient } from '../../../src/wire/gen/fleet/v1/enrollment.ts';
import type { CertificateResponse } from '../../../src/wire/gen/fleet/v1/enrollment_messages.ts';
import { failureOf, TestCell, unary } from '../../helpers/test-cell.ts';

const DAY_MS = 86_400_000;

describe('enrolment', () => {
  let cell: TestCell;
  beforeEach(async () => {
    cell = await (await new TestCell().start()).open();
  });
  afterEach(() => cell.stop());

  const renew = (
    identity: Parameters<TestCell['client']>[1],
    request: { csr: Buffer; expiredCertificatePem?: string; machineId?: string },
  ) => {
    const client = cell.client(EnrollmentServiceClient, identity);
    const full = { machineId: 'machine-1', expiredCertificatePem: '', ...request };
    return unary<CertificateResponse>((done) => client.renew(full, done));
  };

  it('turns a token and a key into the certificate of exactly the named host and user', async () => {
    const enrolled = await cell.enroll(await cell.token(), { host: 'other', user: 'root' });
    const certificate = readCertificate(enrolled.certificatePem);
    expect(parseSpiffeId(certificate.uri ?? '')).toEqual({
      kind: 'host',
      cell: 'home',
      host: 'W-jarvis',
      user: 'jarvis',
    });
    expect(certificate.x509.checkPrivateKey(enrolled.key)).toBe(true);
    expect(enrolled).toMatchObject({ cell: 'home', host: 'W-jarvis', user: 'jarvis', tenantId: 'default' });
    expect(enrolled.addresses).toEqual([cell.address]);
  });

  it('lets the machine name itself where the token leaves it open', async () => {
    const enrolled = await cell.enroll(await cell.token({ host: '', user: '' }), {
      host: 'dragon-lin',
      user: 'jwoltje',
    });
    expect(enrolled).toMatchObject({ host: 'dragon-lin', user: 'jwoltje' });
  });

  it('gives the same certificate again to the same key, because the reply may have been lost', async () => {
    const token = await cell.token();
    const first = await cell.enroll(token);
    cell.clock.advance(20 * 60_000);
    const second = await cell.enroll(token, { key: first.key });
    expect(second.certificatePem).toBe(first.certificatePem);
  });

  it('refuses a used token to another key, an ended one, and one that never was', async () => {
    const token = await cell.token();
    await cell.enroll(token);
    const used = await failureOf(cell.enroll(token));
    expect(used).toMatchObject({ code: status.PERMISSION_DENIED });
    const ended = await cell.token({ host: 'late', validSeconds: 60 });
    cell.clock.advance(60_000);
    const late = await failureOf(cell.enroll(ended, { machineId: 'machine-2' }));
    const unknown = await failureOf(cell.enroll({ ...token, secret: 'x'.repeat(32) }));
    expect([late.details, unknown.details]).toEqual([used.details, used.details]);
    expect(JSON.stringify(cell.logged)).not.toContain(token.secret);
  });

  it('keeps only a hash of the secret', async () => {
    const token = await cell.token();
    const entries = await cell.store.list('token/', { limit: 10 });
    expect(entries).toHaveLength(1);
    expect(entries.map(({ key, value }) => key + Buffer.from(value).toString()).join()).not.toContain(token.secret);
  });

  it('refuses a name that another machine has, and a second name for a machine, naming the ways out', async () => {
    await cell.enroll(await cell.token());
    const stolen = await failureOf(cell.enroll(await cell.token(), { machineId: 'machine-2' }));
    expect(stolen).toMatchObject({ code: status.ALREADY_EXISTS, details: expect.stringMatching(/--name.*--replace/) });
    const renamed = await failureOf(cell.enroll(await cell.token({ host: 'second' })));
    expect(renamed).toMatchObject({
      code: status.ALREADY_EXISTS,
      details: expect.stringMatching(/W-jarvis.*--replace/),
    });
    const other = await cell.enroll(await cell.token({ user: 'maria' }));
    expect(other).toMatchObject({ host: 'W-jarvis', user: 'maria' });
  });

  it('lets a replacing token take a name over, and revokes who had it', async () => {
    const old = await cell.enroll(await cell.token());
    const next = await cell.enroll(await cell.token({ replace: true, user: 'maria' }), { machineId: 'machine-2' });
    expect(next).toMatchObject({ host: 'W-jarvis', user: 'maria' });
    expect(await failureOf(renew(old, { csr: makeCsr(old.key) }))).toMatchObject({ code: status.PERMISSION_DENIED });
  });

  it('leaves to whoever bears a name next nothing of what was allowed to the machine that another name replaced', async () => {
    await cell.enroll(await cell.token());
    await allowVerbs(cell.records, [{ host: 'W-jarvis', user: 'jarvis' }], ['send']);
    const renamed = await cell.enroll(await cell.token({ host: 'dragon-lin', replace: true }));
    expect(renamed).toMatchObject({ host: 'dragon-lin' });
    await cell.enroll(await cell.token(), { machineId: 'machine-2' });
    expect(ceilingOf(cell.records, 'W-jarvis', 'jarvis')).toEqual([]);
  });

  it('brings by a token for one tenant nobody into another whose user the machine says it is', async () => {
    for (const tenant of ['acme', 'beta']) await addTenant(cell.records, tenant, { nowMs: 0, by: 'test' });
    const binding = { tenantId: 'beta', boundMs: 0, boundBy: 'test' };
    await bindUser(cell.records, 'home', { host: 'dragon-lin', user: 'jwoltje' }, binding);
    const token = await cell.token({ host: '', user: '', tenantId: 'acme' });
    const failure = await failureOf(cell.enroll(token, { host: 'dragon-lin', user: 'jwoltje' }));
    expect(failure.code).toBe(status.PERMISSION_DENIED);
    expect(await cell.enroll(token, { host: 'dragon-lin', user: 'ada' })).toMatchObject({ tenantId: 'acme' });
  });

  it('lets a replacing token take over the very same host and user, and accepts the new machine at once', async () => {
    const old = await cell.enroll(await cell.token());
    const next = await cell.enroll(await cell.token({ replace: true }), { machineId: 'machine-2' });
    expect(await failureOf(renew(old, { csr: makeCsr(old.key) }))).toMatchObject({ code: status.PERMISSION_DENIED });
    const renewed = renew(next, { csr: makeCsr(next.key), machineId: 'machine-2' });
    expect(await renewed).toMatchObject({ host: 'W-jarvis', user: 'jarvis' });
  });

  it('lets a machine that lost its folder enrol again; the key before is worth nothing then', async () => {
    const first = await cell.token();
    const old = await cell.enroll(first);
    const again = await cell.enroll(await cell.token());
    const swapped = failureOf(cell.enroll(first, { key: again.key }));
    expect(await swapped).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(await failureOf(cell.enroll(first, { key: old.key }))).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(await failureOf(renew(old, { csr: makeCsr(old.key) }))).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(await renew(again, { csr: makeCsr(again.key) })).toMatchObject({ host: 'W-jarvis' });
  });

  it('of two keys that race for one token lets one in', async () => {
    const token = await cell.token();
    const outcomes = await Promise.allSettled([cell.enroll(token), cell.enroll(token), cell.enroll(token)]);
    expect(outcomes.filter(({ status: outcome }) => outcome === 'fulfilled')).toHaveLength(1);
  });

  it('lets nobody in by what was taken away while the enrolment was written down', async () => {
    const uri = 'spiffe://home/host/W-jarvis/user/jarvis';
    const token = await cell.token();
    cell.whileRecording('enroll', () =>
      cell.store.commit({ remove: [cell.records.tokens.keyOf(hashTokenSecret(token.secret))] }),
    );
    expect(await failureOf(cell.enroll(token))).toMatchObject({ code: status.ABORTED });
    expect(cell.records.identities.get(uri)).toBeUndefined();
    expect(await failureOf(cell.enroll(token))).toMatchObject({ code: status.PERMISSION_DENIED });

    await cell.enroll(await cell.token());
    cell.whileRecording('enroll', () => quarantineHost(cell.records, { host: 'W-jarvis', user: '' }, true));
    const again = await cell.token();
    expect(await failureOf(cell.enroll(again))).toMatchObject({ code: status.ABORTED });
    await cell.enroll(again);
    expect(cell.records.identities.get(uri)).toMatchObject({ quarantined: true });
  });

  it('lets a removed host in by no token that was made for it before', async () => {
    await cell.enroll(await cell.token());
    const [open, others] = [await cell.token({ user: '' }), await cell.token({ user: 'ada' })];
    await revokeHost(cell.records, 'W-jarvis', 'jarvis');
    expect(await failureOf(cell.enroll(open))).toMatchObject({ code: status.PERMISSION_DENIED });
    await cell.enroll(others);
    await cell.enroll(await cell.token());
  });

  it('does not renew what was revoked while the renewal was written down, and keeps what else became of it', async () => {
    const enrolled = await cell.enroll(await cell.token());
    const uri = 'spiffe://home/host/W-jarvis/user/jarvis';
    cell.whileRecording('renew', () => quarantineHost(cell.records, { host: 'W-jarvis', user: '' }, true));
    await renew(enrolled, { csr: makeCsr(enrolled.key) });
    expect(cell.records.identities.get(uri)).toMatchObject({ quarantined: true });
    cell.whileRecording('renew', () => revokeHost(cell.records, 'W-jarvis', ''));
    const revoked = renew(null, { csr: makeCsr(enrolled.key), expiredCertificatePem: enrolled.certificatePem });
    expect(await failureOf(revoked)).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(cell.records.identities.get(uri)).toMatchObject({ revoked: true });
  });

  it('renews over mTLS for the same key, and refuses another key or another machine', async () => {
    const enrolled = await cell.enroll(await cell.token());
    cell.clock.advance(DAY_MS);
    const renewed = await renew(enrolled, { csr: makeCsr(enrolled.key) });
    const [before, after] = [enrolled, renewed].map(({ certificatePem }) => readCertificate(certificatePem));
    expect(after?.notAfterMs).toBe((before?.notAfterMs ?? 0) + DAY_MS);
    expect(after?.keyFingerprint).toBe(before?.keyFingerprint);
    expect(await failureOf(renew(enrolled, { csr: makeCsr(makeKey()) }))).toMatchObject({
      code: status.PERMISSION_DENIED,
    });
    const copied = failureOf(renew(enrolled, { csr: makeCsr(enrolled.key), machineId: 'machine-2' }));
    expect(await copied).toMatchObject({ code: status.PERMISSION_DENIED });
  });

  it('renews a host in quarantine, and lets it out by no certificate', async () => {
    const enrolled = await cell.enroll(await cell.token());
    await quarantineHost(cell.records, { host: 'W-jarvis', user: '' }, true);
    expect(await renew(enrolled, { csr: makeCsr(enrolled.key) })).toMatchObject({ host: 'W-jarvis' });
    await cell.enroll(await cell.token());
    expect([...cell.records.identities.entries()].map(([, { quarantined }]) => quarantined)).toEqual([true]);
  });

  it('renews a certificate that ran out for 90 days, for its key only, and not when it was revoked', async () => {
    const enrolled = await cell.enroll(await cell.token());
    const expiredCertificatePem = enrolled.certificatePem;
    const ask = (key = enrolled.key) => renew(null, { csr: makeCsr(key), expiredCertificatePem });
    cell.clock.advance(7 * DAY_MS + 89 * DAY_MS);
    expect(await failureOf(ask(makeKey()))).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(await ask()).toMatchObject({ host: 'W-jarvis', user: 'jarvis' });
    cell.clock.advance(2 * DAY_MS);
    expect(await failureOf(ask())).toMatchObject({ code: status.PERMISSION_DENIED });
    cell.clock.advance(-50 * DAY_MS);
    const uri = readCertificate(expiredCertificatePem).uri ?? '';
    const record = cell.records.identities.get(uri);
    if (record === undefined) throw new Error('not enrolled');
    await cell.store.commit({ put: [cell.records.identities.writing(uri, { ...record, revoked: true })] });
    expect(await failureOf(ask())).toMatchObject({ code: status.PERMISSION_DENIED });
  });

  it('does not renew what another authority signed under the same names', async () => {
    await cell.enroll(await cell.token());
    const foreign = await new TestCell().start();
    try {
      const key = makeKey();
      const id = { kind: 'host', cell: 'home', host: 'W-jarvis', user: 'jarvis' } as const;
      const forged = foreign.authority.issue(id, key, { nowMs: cell.clock.nowMs(), lifetimeMs: 1_000 });
      const asked = renew(null, { csr: makeCsr(key), expiredCertificatePem: forged });
      expect(await failureOf(asked)).toMatchObject({ code: status.PERMISSION_DENIED });
    } finally {
      await foreign.stop();
    }
  });

  it('refuses requests that are no certificate requests, and damaged ones', async () => {
    const client = cell.client(EnrollmentServiceClient, null);
    const { secret } = await cell.token();
    const damaged = makeCsr(makeKey());
    damaged[60] = (damaged[60] ?? 0) ^ 1;
    for (const csr of [Buffer.alloc(0), Buffer.from('hello'), damaged, Buffer.alloc(5_000, 0x30)]) {
      const call = { secret, csr, machineId: 'm', version: '', host: '', user: '' };
      const failure = await failureOf(unary((done) => client.enroll(call, done)));
      expect(failure.code).toBe(status.INVALID_ARGUMENT);
    }
  });

  it('has the grant on disk before the certificate leaves', async () => {
    const token = await cell.token();
    const enrolled = await cell.enroll(token);
    const [record] = (await cell.audit.list({ limit: 10 })).filter(({ verb }) => verb === 'enroll');
    expect(record).toMatchObject({ outcome: 'allowed', target: readCertificate(enrolled.certificatePem).uri });
  });
});
