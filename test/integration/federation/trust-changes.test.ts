import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOCAL_CALLER } from '../../../controller/tenancy/caller.ts';
import { authorityFingerprint, LEAF_LIFETIME_MS, makeAuthority } from '../../../src/identity/authority.ts';
import { parseInvitation } from '../../../src/identity/invitation.ts';
import { makeKey } from '../../../src/identity/key.ts';
import { bundleFromPem } from '../../../src/identity/trust.ts';
import { EnrollmentServiceClient } from '../../../src/wire/gen/fleet/v1/enrollment.ts';
import type { JoinPeerResponse, RefreshPeerResponse } from '../../../src/wire/gen/fleet/v1/peers.ts';
import { failureOf, TestCell, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const [{ authority }, { authority: next }, { authority: third }] = [1, 2, 3].map(() =>
  makeAuthority('partner', Date.now()),
) as [Made, Made, Made];
type Made = ReturnType<typeof makeAuthority>;
const ADDRESSES = ['127.0.0.1:1'];
const printOf = (pem: string): string => bundleFromPem(pem).map(authorityFingerprint).join(' ');

let home: TestCell;
let client: EnrollmentServiceClient;
beforeEach(async () => {
  home = await (await new TestCell().start()).open();
  const wish = { cell: 'partner', tenants: [], validSeconds: 0 };
  const { token } = await home.federation.admin.invitePeer(LOCAL_CALLER, wish, {
    id: 't',
    signal: new AbortController().signal,
  });
  const { secret } = parseInvitation(token);
  const identity = { cell: 'partner', trustBundlePem: authority.pem, addresses: ADDRESSES };
  const stranger = home.client(EnrollmentServiceClient, null);
  await unary<JoinPeerResponse>((done) => stranger.joinPeer({ secret, identity }, done));
  const key = makeKey();
  const times = { nowMs: Date.now(), lifetimeMs: LEAF_LIFETIME_MS };
  const certificatePem = authority.issue({ kind: 'controller', cell: 'partner', name: 'main' }, key, times);
  client = home.client(EnrollmentServiceClient, { certificatePem, key });
});
afterEach(() => home.stop());

const refresh = (trustBundlePem: string, addresses = ADDRESSES, cell = 'partner') =>
  unary<RefreshPeerResponse>((done) =>
    client.refreshPeer({ identity: { cell, trustBundlePem, addresses }, trusts: [] }, done),
  );
const audited = async () => {
  await home.audit.flush();
  return (await home.audit.list({ limit: 100 })).filter(({ verb }) => verb === 'refresh-peer').reverse();
};
const held = () => home.records.peers.get('partner');

test('a change of a peer’s authorities is in the audit, from which to which; saying the same again is not', async () => {
  await refresh(authority.pem);
  expect(await audited()).toEqual([]);
  await refresh(authority.pem + next.pem);
  expect(held()?.trustBundlePem).toBe(authority.pem + next.pem);
  await refresh(authority.pem + next.pem);
  const [first, second] = [printOf(authority.pem), printOf(next.pem)];
  expect(await audited()).toMatchObject([
    {
      actor: 'spiffe://partner/controller/main',
      target: 'partner',
      outcome: 'allowed',
      reason: `authorities ${first} -> ${first} ${second}`,
    },
  ]);
  home.clock.advance(10_000);
  await refresh(authority.pem + next.pem, ['127.0.0.1:2']);
  expect((await audited()).at(-1)).toMatchObject({ reason: 'addresses 127.0.0.1:1 -> 127.0.0.1:2' });
});

test('a peer changes its authorities once in ten seconds at most, and is told so', async () => {
  await refresh(authority.pem + next.pem);
  home.clock.advance(9_999);
  const failure = await failureOf(refresh(authority.pem + third.pem));
  expect(failure).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: expect.stringContaining('again in 1 s') });
  expect((await failureOf(refresh(authority.pem, ['127.0.0.1:2']))).code).toBe(status.RESOURCE_EXHAUSTED);
  expect(held()).toMatchObject({ trustBundlePem: authority.pem + next.pem, addresses: ADDRESSES });
  expect((await audited()).map(({ outcome }) => outcome)).toEqual(['allowed', 'denied', 'denied']);
  // What is known already is no change.
  await refresh(authority.pem + next.pem);
  home.clock.advance(1);
  await refresh(authority.pem + third.pem);
  expect(held()?.trustBundlePem).toBe(authority.pem + third.pem);
});

test('of the same change told twice at once one counts, and both are answered', async () => {
  const bundle = authority.pem + next.pem;
  const record = home.audit.record.bind(home.audit);
  home.audit.record = async (entry) => {
    await until(() => home.door.open().get('/fleet.v1.EnrollmentService/RefreshPeer') === 2, { timeoutMs: 10_000 });
    await record(entry);
  };
  await Promise.all([refresh(bundle), refresh(bundle)]);
  expect((await audited()).map(({ outcome }) => outcome)).toEqual(['allowed']);
});

test('what cannot be written down does not count', async () => {
  home.audit.record = () => Promise.reject(new Error('disk full'));
  await failureOf(refresh(authority.pem + next.pem));
  expect(held()?.trustBundlePem).toBe(authority.pem);
});

test('a peer that is removed while its change is written down is not brought back by it', async () => {
  const record = home.audit.record.bind(home.audit);
  home.audit.record = async (entry) => {
    await record(entry);
    await home.federation.peers.remove('partner');
  };
  await failureOf(refresh(authority.pem + next.pem));
  expect(held()).toMatchObject({ state: 'revoked', trustBundlePem: authority.pem });
});

test('a peer that speaks of another cell is refused, and that is kept', async () => {
  const { authority: other } = makeAuthority('other', Date.now());
  expect((await failureOf(refresh(other.pem, ADDRESSES, 'other'))).code).toBe(status.PERMISSION_DENIED);
  expect((await audited()).map(({ outcome }) => outcome)).toEqual(['denied']);
});
