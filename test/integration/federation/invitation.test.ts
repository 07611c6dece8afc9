import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { joinPeer } from '../../../controller/federation/join-peer.ts';
import { LOCAL_CALLER } from '../../../controller/tenancy/caller.ts';
import { addTenant, removeTenant } from '../../../controller/tenancy/tenants.ts';
import { makeAuthority } from '../../../src/identity/authority.ts';
import { signCertificate } from '../../../src/identity/certificate.ts';
import { formatInvitation, parseInvitation } from '../../../src/identity/invitation.ts';
import { makeKey } from '../../../src/identity/key.ts';
import { EnrollmentServiceClient } from '../../../src/wire/gen/fleet/v1/enrollment.ts';
import type { AcceptPeerResponse, JoinPeerResponse } from '../../../src/wire/gen/fleet/v1/peers.ts';
import { failureOf, TestCell, unary } from '../../helpers/test-cell.ts';

describe('an invitation between cells', () => {
  let home: TestCell;
  let partner: TestCell;
  beforeEach(async () => {
    home = await (await new TestCell().start()).open();
    partner = await (await new TestCell({ cell: 'partner' }).start()).open();
  });
  afterEach(async () => {
    await home.stop();
    await partner.stop();
  });

  const context = { id: 't', signal: new AbortController().signal };
  const invite = async (cell = '', validSeconds = 0): Promise<string> =>
    (await home.federation.admin.invitePeer(LOCAL_CALLER, { cell, tenants: [], validSeconds }, context)).token;
  const accept = async (token: string, by = partner, tenants: string[] = []): Promise<AcceptPeerResponse> =>
    await by.federation.admin.acceptPeer(LOCAL_CALLER, { token, tenants }, context);
  const join = (
    secret: string,
    { cell, pem }: { cell: string; pem: string },
    addresses = ['127.0.0.1:1'],
    client = home.client(EnrollmentServiceClient, null),
  ) => {
    const identity = { cell, trustBundlePem: pem, addresses };
    return unary<JoinPeerResponse>((done) => client.joinPeer({ secret, identity }, done));
  };

  it('makes each a peer of the other, each by the bundle of the other', async () => {
    await addTenant(partner.records, 'acme', { nowMs: partner.clock.nowMs(), by: 'test' });
    const { peer } = await accept(await invite('partner'), partner, ['acme']);
    expect(peer).toMatchObject({
      cell: 'home',
      state: 'active',
      tenants: ['acme'],
      fingerprints: [home.authority.fingerprint],
    });
    expect(home.records.peers.get('partner')).toMatchObject({
      state: 'active',
      trustBundlePem: partner.authority.pem,
      addresses: [partner.address],
      audience: ['default'],
    });
    expect([...home.trust.bundles().keys()].sort()).toEqual(['home', 'partner']);
    expect([...partner.trust.bundles().keys()].sort()).toEqual(['home', 'partner']);
  });

  it('exists for tenants that there are: another is refused, and one of them cannot be removed', async () => {
    await expect(accept(await invite(), partner, ['acme'])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await addTenant(partner.records, 'acme', { nowMs: partner.clock.nowMs(), by: 'test' });
    await accept(await invite(), partner, ['acme']);
    const failure = await removeTenant(partner.records, 'acme', partner.clock.nowMs()).catch((error: Error) => error);
    expect(failure).toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('fleet peer tenants'),
    });
  });

  it('of a tenant that is there no more makes nobody a peer, says so, and leaves neither side half one', async () => {
    await addTenant(home.records, 'acme', { nowMs: home.clock.nowMs(), by: 'test' });
    const wish = { cell: '', tenants: ['acme'], validSeconds: 0 };
    const { token } = await home.federation.admin.invitePeer(LOCAL_CALLER, wish, context);
    const { tenants, store } = home.records;
    await store.commit({ remove: [tenants.keyOf('acme')] });
    await expect(accept(token)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(/^a tenant .* is there no more: ask for a new one/),
    });
    expect([home, partner].map(({ federation }) => federation.peers.all())).toEqual([[], []]);
    await home.audit.flush();
    const joins = (await home.audit.list({ limit: 20 })).filter(({ verb }) => verb === 'join-peer');
    expect(joins.map(({ outcome }) => outcome)).toEqual(['denied']);
    // One that goes at the last moment, too.
    await addTenant(home.records, 'acme', { nowMs: home.clock.nowMs(), by: 'test' });
    const record = home.audit.record.bind(home.audit);
    home.audit.record = async (entry) => {
      await record(entry);
      await store.commit({ remove: [tenants.keyOf('acme')] });
    };
    await expect(accept(token)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect([home, partner].map(({ federation }) => federation.peers.all())).toEqual([[], []]);
    home.audit.record = record;
    expect((await accept(await invite())).peer).toMatchObject({ state: 'active' });
  });

  it('serves once: the same cell with the same bundle is answered the same again, any other is refused', async () => {
    const token = await invite();
    const { secret } = parseInvitation(token);
    const first = await join(secret, partner.authority);
    expect(await join(secret, partner.authority)).toEqual(first);
    for (const cell of ['partner', 'third']) {
      const failure = await failureOf(join(secret, makeAuthority(cell, Date.now()).authority));
      expect(failure).toMatchObject({
        code: status.PERMISSION_DENIED,
        details: expect.stringContaining('not accepted'),
      });
    }
    expect(home.federation.peers.all().map(({ cell }) => cell)).toEqual(['partner']);
  });

  it('of two cells that race for one invitation makes one a peer', async () => {
    const { secret } = parseInvitation(await invite());
    const cells = [partner.authority, makeAuthority('third', Date.now()).authority];
    const outcomes = await Promise.allSettled([...cells, ...cells].map((each) => join(secret, each)));
    // The same one again is answered the same.
    expect(outcomes.filter(({ status: outcome }) => outcome === 'fulfilled')).toHaveLength(2);
    expect(home.federation.peers.all()).toHaveLength(1);
  });

  it('can be accepted again after a lost answer', async () => {
    const token = await invite();
    await join(parseInvitation(token).secret, partner.authority, [partner.address]);
    expect((await accept(token)).peer).toMatchObject({ cell: 'home', state: 'active' });
  });

  it('is refused when it is out of date, unknown, or removed, in the same words', async () => {
    const late = parseInvitation(await invite('', 60));
    home.clock.advance(60_000);
    const removed = parseInvitation(await invite('partner'));
    await home.federation.peers.remove('partner');
    const details = [];
    for (const secret of [late.secret, removed.secret, 'x'.repeat(32)]) {
      details.push((await failureOf(join(secret, partner.authority))).details);
    }
    expect(new Set(details).size).toBe(1);
    expect(JSON.stringify(home.logged)).not.toContain(late.secret);
  });

  it('for one cell takes the place of the unused one for it, and of no other', async () => {
    const [first, open, second] = [await invite('partner'), await invite(), await invite('partner')];
    await expect(accept(first)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    expect((await accept(second)).peer?.state).toBe('active');
    const { authority } = makeAuthority('third', Date.now());
    await join(parseInvitation(open).secret, authority);
    expect(home.federation.peers.all().map(({ cell }) => cell)).toEqual(['partner', 'third']);
  });

  it('for one cell is of no use to another, and is not spent by it', async () => {
    const token = await invite('partner');
    const { authority } = makeAuthority('third', Date.now());
    const refused = await failureOf(join(parseInvitation(token).secret, authority));
    expect(refused.code).toBe(status.PERMISSION_DENIED);
    expect((await accept(token)).peer?.state).toBe('active');
  });

  it('gives no cell the name of ours, nor that of a peer with another bundle', async () => {
    const namesake = await (await new TestCell().start()).open();
    try {
      await expect(accept(await invite(), namesake)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    } finally {
      await namesake.stop();
    }
    await accept(await invite());
    const { authority } = makeAuthority('partner', Date.now());
    const taken = await failureOf(join(parseInvitation(await invite()).secret, authority));
    expect(taken).toMatchObject({
      code: status.ALREADY_EXISTS,
      details: expect.stringContaining('fleet peer rm partner'),
    });
    await expect(invite('partner')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await expect(invite('home')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(home.records.peers.get('partner')?.trustBundlePem).toBe(partner.authority.pem);
  });

  it('displaces no peer of that name that came while it was written down', async () => {
    const { secret } = parseInvitation(await invite());
    const { authority: first } = makeAuthority('partner', Date.now());
    const record = home.audit.record.bind(home.audit);
    home.audit.record = async (entry) => {
      await record(entry);
      await home.federation.peers.hold({ cell: 'partner', trustBundlePem: first.pem, addresses: [] }, ['default']);
    };
    expect((await failureOf(join(secret, partner.authority))).code).toBe(status.ALREADY_EXISTS);
    expect(home.records.peers.get('partner')?.trustBundlePem).toBe(first.pem);
  });

  it('takes no bundle of another cell, of a leaf, or of nothing', async () => {
    const { authority: third } = makeAuthority('third', Date.now());
    const { certificatePem } = await partner.enroll(await partner.token());
    const named = (uri: string, subject: string): string => {
      const key = makeKey();
      const times = { notBeforeMs: Date.now(), notAfterMs: Date.now() + 3_600_000 };
      return signCertificate({ subject, issuer: subject, uri, key, issuerKey: key, uses: null, ...times });
    };
    const [ours, others] = [named('spiffe://partner', 'fleet cell home'), named('spiffe://home', 'fleet cell partner')];
    for (const pem of [third.pem, ours, others, certificatePem, '', 'hello', partner.authority.pem.repeat(5)]) {
      const failure = await failureOf(join(parseInvitation(await invite()).secret, { cell: 'partner', pem }));
      expect(failure.code).toBe(status.INVALID_ARGUMENT);
    }
    expect(home.federation.peers.all()).toEqual([]);
  });

  it('sends its secret to nobody whose fingerprint is another', async () => {
    const { secret, ...invitation } = parseInvitation(await invite());
    const impostor = { ...invitation, secret, addresses: [partner.address] };
    await expect(accept(formatInvitation(impostor), partner)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(JSON.stringify(partner.logged)).not.toContain(secret);
    const dead = { ...invitation, secret, addresses: ['127.0.0.1:1'] };
    await expect(accept(formatInvitation(dead), partner)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const own = { cell: 'partner', trustBundlePem: partner.authority.pem, addresses: [partner.address] };
    const beside = { ...impostor, addresses: [partner.address, home.address] };
    const joined = await joinPeer(beside, { own, nowMs: Date.now, signal: context.signal });
    expect(joined.cell).toBe('home');
  });

  it('is no more to be guessed than a join token: failures are counted with those of enrolment', async () => {
    const client = home.client(EnrollmentServiceClient, null);
    const guess = () => failureOf(join('x'.repeat(32), partner.authority, [], client));
    expect((await guess()).code).toBe(status.PERMISSION_DENIED);
    for (let guesses = 1; guesses < 500; guesses++) await guess();
    expect((await guess()).code).toBe(status.RESOURCE_EXHAUSTED);
    expect((await failureOf(home.enroll(await home.token()))).code).toBe(status.RESOURCE_EXHAUSTED);
  });

  it('is void once a tenant that it is for is removed, also while it is being used, and where another is made of its name', async () => {
    const add = () => addTenant(home.records, 'acme', { nowMs: home.clock.nowMs(), by: 'test' });
    const remove = () => removeTenant(home.records, 'acme', home.clock.nowMs());
    const wish = { cell: '', tenants: ['acme'], validSeconds: 0 };
    await add();
    const { token } = await home.federation.admin.invitePeer(LOCAL_CALLER, wish, context);
    const { secret } = parseInvitation(token);
    home.whileRecording('join-peer', remove);
    const inUse = { code: status.FAILED_PRECONDITION, details: expect.stringContaining('ask for a new one') };
    expect(await failureOf(join(secret, partner.authority))).toMatchObject(inUse);
    await add();
    const late = await failureOf(join(secret, partner.authority));
    expect(late).toMatchObject({ code: status.PERMISSION_DENIED, details: expect.not.stringContaining('acme') });
    expect(home.federation.peers.all()).toEqual([]);
  });

  it('that is withdrawn while it is being used makes no peer', async () => {
    const { secret } = parseInvitation(await invite('partner'));
    home.whileRecording('join-peer', () => home.federation.peers.remove('partner'));
    expect(await failureOf(join(secret, partner.authority))).toMatchObject({ code: status.ABORTED });
    expect(home.federation.peers.get('partner')).toBeUndefined();
    expect([...home.trust.bundles().keys()]).toEqual(['home']);
  });

  it('ends with the peer: its certificates count no more, and the name is free for another', async () => {
    await accept(await invite());
    expect((await home.federation.peers.remove('partner')).peer?.state).toBe('revoked');
    expect([...home.trust.bundles().keys()]).toEqual(['home']);
    await expect(home.federation.peers.remove('partner')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const { authority } = makeAuthority('partner', Date.now());
    await join(parseInvitation(await invite()).secret, authority);
    expect(home.records.peers.get('partner')).toMatchObject({ state: 'active', trustBundlePem: authority.pem });
  });

  it('keeps only a hash of the secret, and has the peer on disk and in the audit before it answers', async () => {
    const token = await invite();
    await accept(token);
    const entries = await home.store.list('', { limit: 1_000 });
    const stored = entries.map(({ key, value }) => key + Buffer.from(value).toString()).join();
    expect(stored).not.toContain(parseInvitation(token).secret);
    const records = (await home.audit.list({ limit: 20 })).filter(({ verb }) => verb === 'join-peer');
    expect(records).toMatchObject([{ outcome: 'allowed', target: 'partner' }]);
  });
});
