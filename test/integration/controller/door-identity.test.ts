import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeAuthority } from '../../../src/identity/authority.ts';
import { signCertificate } from '../../../src/identity/certificate.ts';
import { makeKey } from '../../../src/identity/key.ts';
import { refusalReasonOf } from '../../../src/wire/errors.ts';
import { type Identity, openCell, Uplink, whoAmI } from '../../helpers/door-ground.ts';
import { failureOf, type TestCell } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

describe('whom the door knows', () => {
  let cell: TestCell;
  beforeEach(async () => {
    cell = await openCell();
  });
  afterEach(() => cell.stop());

  const leafOf = (id: Parameters<TestCell['authority']['issue']>[0], lifetimeMs = 60_000): Identity => {
    const key = makeKey();
    return { key, certificatePem: cell.authority.issue(id, key, { nowMs: Date.now(), lifetimeMs }) };
  };
  const hostId = { kind: 'host', cell: 'home', host: 'W-jarvis', user: 'jarvis' } as const;

  it('knows an enrolled host by its certificate alone', async () => {
    const enrolled = await cell.enroll(await cell.token());
    expect(await whoAmI(cell, enrolled)).toMatchObject({
      caller: { kind: 'host', name: 'jarvis', role: 'operator', tenantId: 'default' },
      host: 'W-jarvis',
      user: 'jarvis',
    });
  });

  it('lets a stranger nowhere but to enrolment, and tells it nothing', async () => {
    const failure = await failureOf(whoAmI(cell, null));
    expect(failure.code).toBe(status.UNAUTHENTICATED);
    expect(refusalReasonOf(failure)).toBeNull();
    const uplink = new Uplink(cell, null);
    await until(() => uplink.ended, { timeoutMs: 30_000 });
    expect(uplink.ended?.code).toBe(status.UNAUTHENTICATED);
    expect(uplink.answers).toBe(0);
  });

  it('refuses a certificate of a foreign authority, also one that bears our names', async () => {
    const { authority } = makeAuthority('home', Date.now());
    const key = makeKey();
    const certificatePem = authority.issue(hostId, key, { nowMs: Date.now(), lifetimeMs: 60_000 });
    const failure = await failureOf(whoAmI(cell, { key, certificatePem }));
    expect(failure.code).toBe(status.UNAUTHENTICATED);
    expect(refusalReasonOf(failure)).toBeNull();
    await until(() => cell.logged.some((line) => line.includes('foreign_authority')), { timeoutMs: 30_000 });
  });

  it('refuses a certificate of a trusted authority that names another domain', async () => {
    const enrolled = await cell.enroll(await cell.token());
    const { authority: partner, key: partnerKey } = makeAuthority('partner', Date.now());
    // TLS is given the union of bundles, so the handshake itself accepts the partner's leaf.
    cell.server.rotate({ ...cell.identity.material, trustPem: cell.authority.pem + partner.pem });
    cell.partners.push(partner);
    const key = makeKey();
    const certificatePem = signCertificate({
      subject: 'x',
      issuer: 'fleet cell partner',
      uri: 'spiffe://home/host/W-jarvis/user/jarvis',
      key,
      issuerKey: partnerKey,
      uses: ['client'],
      notBeforeMs: Date.now() - 1_000,
      notAfterMs: Date.now() + 60_000,
    });
    expect((await failureOf(whoAmI(cell, { key, certificatePem }))).code).toBe(status.UNAUTHENTICATED);
    await until(() => cell.logged.some((line) => line.includes('other_domain')), { timeoutMs: 30_000 });
    expect(await whoAmI(cell, enrolled)).toMatchObject({ host: 'W-jarvis' });
  });

  it('refuses a leaf that our own authority signed but nobody enrolled', async () => {
    expect((await failureOf(whoAmI(cell, leafOf(hostId)))).code).toBe(status.UNAUTHENTICATED);
  });

  it('tells the holder of an expired certificate why it is refused', async () => {
    const { key } = await cell.enroll(await cell.token());
    const certificatePem = cell.authority.issue(hostId, key, { nowMs: Date.now(), lifetimeMs: -1_000 });
    const failure = await failureOf(whoAmI(cell, { key, certificatePem }));
    expect(failure.code).toBe(status.UNAUTHENTICATED);
    expect(refusalReasonOf(failure)).toBe('certificate_expired');
  });
});
