import { X509Certificate } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Grants } from '../../../controller/grants/grants.ts';
import { authenticate } from '../../../controller/grpc/authenticate.ts';
import { LOCAL_CALLER } from '../../../controller/tenancy/caller.ts';
import { addTenant, removeTenant } from '../../../controller/tenancy/tenants.ts';
import { makeAuthority } from '../../../src/identity/authority.ts';
import { parseInvitation } from '../../../src/identity/invitation.ts';
import { makeKey } from '../../../src/identity/key.ts';
import { EnrollmentServiceClient } from '../../../src/wire/gen/fleet/v1/enrollment.ts';
import type { JoinPeerResponse, ListPeersResponse, RemovePeerRequest } from '../../../src/wire/gen/fleet/v1/peers.ts';
import { failureOf, TestCell, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const TERMS = { tenants: ['acme'], hosts: ['*'], agents: ['*'], verbs: ['observe'], rowLimit: 0, validMs: 0 };
const { authority: partner } = makeAuthority('partner', Date.now());

let home: TestCell;
beforeEach(async () => {
  home = await (await new TestCell().start()).open();
  await addTenant(home.records, 'acme', { nowMs: home.clock.nowMs(), by: 'test' });
});
afterEach(() => home.stop());

const call = { id: 't', signal: new AbortController().signal };
const invites = async (cell: string, validSeconds = 0): Promise<string> => {
  const wish = { cell, tenants: ['acme'], validSeconds };
  return parseInvitation((await home.federation.admin.invitePeer(LOCAL_CALLER, wish, call)).token).secret;
};
const join = (secret: string, pem = partner.pem): Promise<JoinPeerResponse> => {
  const identity = { cell: 'partner', trustBundlePem: pem, addresses: ['127.0.0.1:1'] };
  const client = home.client(EnrollmentServiceClient, null);
  return unary<JoinPeerResponse>((done) => client.joinPeer({ secret, identity }, done));
};
const removes = async (request: Partial<RemovePeerRequest>) =>
  await home.federation.admin.removePeer(LOCAL_CALLER, { cell: '', any: false, ...request }, call);
const listed = async (): Promise<string[]> => {
  const told = (await home.federation.admin.listPeers(LOCAL_CALLER, {}, call)) as ListPeersResponse;
  return [
    ...told.peers.map(({ cell, state }) => `${cell} ${state}`),
    ...told.invitations.map(({ cell }) => `for ${cell}`),
  ];
};
const removesTenant = () => removeTenant(home.records, 'acme', home.clock.nowMs());

describe('an invitation that is withdrawn', () => {
  it('for a cell: nobody can use it, nothing of it is listed, and its tenant is free', async () => {
    const secrets = [await invites('partner'), await invites('partner')];
    const other = await invites('');
    await expect(removesTenant()).rejects.toThrow('it sees agents of partner (fleet peer tenants, or peer rm)');
    expect(await removes({ cell: 'partner' })).toEqual({ peer: undefined, withdrawn: 1 });
    for (const secret of secrets) expect((await failureOf(join(secret))).code).toBe(status.PERMISSION_DENIED);
    expect(await listed()).toEqual(['for ']);
    await expect(removes({ cell: 'partner' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await join(other);
    expect(await listed()).toEqual(['partner active']);
  });

  it('for any cell: none of them can be used any more, those for a cell can', async () => {
    const secrets = [await invites(''), await invites('')];
    const named = await invites('partner');
    expect(await removes({ any: true })).toEqual({ withdrawn: 2 });
    for (const secret of secrets) expect((await failureOf(join(secret))).code).toBe(status.PERMISSION_DENIED);
    await expect(removes({ any: true })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(removes({ any: true, cell: 'partner' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await join(named);
  });

  it('for any cell, while it is being used, makes no peer', async () => {
    const secret = await invites('');
    home.whileRecording('join-peer', () => removes({ any: true }));
    expect(await failureOf(join(secret))).toMatchObject({ code: status.ABORTED });
    expect(await listed()).toEqual([]);
  });
});

describe('an invitation that is over', () => {
  it('holds nothing: no peer, no tenant, and no grant that waited for it', async () => {
    await invites('partner', 60);
    const { records, clock, log, view } = home;
    const grants = new Grants({ records, view, clock, log, cell: 'home' });
    grants.start();
    const { id } = await grants.add({ peer: 'partner', ...TERMS }, 'test');
    expect([await listed(), grants.statusOf(grants.get(id))]).toEqual([['partner invited', 'for partner'], 'pending']);
    clock.advance(59_999);
    await home.federation.invitations.endOver();
    expect(await listed()).toEqual(['partner invited', 'for partner']);
    clock.advance(1);
    await home.federation.invitations.endOver();
    expect(await listed()).toEqual([]);
    await until(() => grants.get(id).revokedMs !== null, { timeoutMs: 10_000 });
    grants.stop();
    await removesTenant();
  });

  it('is looked for by itself, also where its inviter fell and took it along', async () => {
    await invites('partner');
    const { invitations, store } = home.records;
    home.federation.start();
    await store.commit({ remove: [...invitations.entries()].map(([name]) => invitations.keyOf(name)) });
    await until(async () => (await listed()).length === 0, { timeoutMs: 10_000 });
  });

  it('stands while another one for that cell can be used', async () => {
    await invites('partner', 60);
    const later = await invites('partner', 600);
    home.clock.advance(60_000);
    await home.federation.invitations.endOver();
    expect(await listed()).toEqual(['partner invited', 'for partner']);
    await join(later);
  });

  it('for one that was a peer before leaves it what it was: removed, and told so', async () => {
    await join(await invites('partner'));
    await removes({ cell: 'partner' });
    await invites('partner', 60);
    // Whose bundle it was is no word about who will come.
    const { peers } = (await home.federation.admin.listPeers(LOCAL_CALLER, {}, call)) as ListPeersResponse;
    expect(peers).toMatchObject([{ state: 'invited', fingerprints: [], revokedMs: undefined }]);
    const id = { kind: 'controller', cell: 'partner', name: 'main' } as const;
    const pem = partner.issue(id, makeKey(), { nowMs: Date.now(), lifetimeMs: 3_600_000 });
    const context = { records: home.records, bundles: home.trust.bundles(), nowMs: Date.now() };
    expect(authenticate(new X509Certificate(pem).raw, 'it', context)).toMatchObject({ reason: 'revoked' });
    home.clock.advance(60_000);
    await home.federation.invitations.endOver();
    expect(home.records.peers.get('partner')).toMatchObject({ state: 'revoked', trustBundlePem: partner.pem });
    const { authority } = makeAuthority('partner', Date.now());
    await join(await invites('partner'), authority.pem);
    expect(home.records.peers.get('partner')).toMatchObject({ state: 'active', revokedMs: null });
  });
});

it('a peer is removed with its grants or not at all: what a full disk left of them would stand again with the peer', async () => {
  await join(await invites('partner'));
  const { records, clock, log, view, store } = home;
  const grants = new Grants({ records, view, clock, log, cell: 'home' });
  grants.start();
  const { id } = await grants.add({ peer: 'partner', ...TERMS }, 'test');
  const commit = store.commit.bind(store);
  store.commit = (change, durability) =>
    change.put?.some(({ key }) => key.startsWith('grant/'))
      ? Promise.reject(new Error('disk full'))
      : commit(change, durability);
  const removed = await removes({ cell: 'partner' }).catch((error: Error) => error.message);
  store.commit = commit;
  expect([removed, await listed(), grants.statusOf(grants.get(id))]).toEqual([
    'disk full',
    ['partner active'],
    'active',
  ]);
  await removes({ cell: 'partner' });
  await join(await invites('partner'));
  expect(grants.statusOf(grants.get(id))).toBe('revoked');
  grants.stop();
});
