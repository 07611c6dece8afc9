import { afterEach, beforeEach, expect, it } from 'vitest';
import type { GrantRecord, PeerRecord } from '../../../controller/store/records.ts';
import { addTenant, removeTenant } from '../../../controller/tenancy/tenants.ts';
import { TestCell } from '../../helpers/test-cell.ts';

let cell: TestCell;
beforeEach(async () => {
  cell = await new TestCell().start();
  await addTenant(cell.records, 'acme', { nowMs: 1, by: 'test' });
});
afterEach(() => cell.stop());

const PEER: PeerRecord = {
  cell: 'partner',
  addresses: [],
  trustBundlePem: '',
  audience: ['acme'],
  state: 'active',
  invitedMs: 1,
  acceptedMs: 2,
  revokedMs: null,
  limits: { rows: 10 },
};
const GRANT: GrantRecord = {
  id: 'g1',
  peer: 'partner',
  tenants: ['acme', 'beta'],
  hosts: ['*'],
  agents: ['*'],
  verbs: ['observe'],
  rowLimit: 10,
  expiresMs: 5_000,
  createdMs: 1,
  createdBy: 'test',
  revokedMs: null,
};

it('a tenant to which a peer or a grant gives something is not removed, lest another of its name come into it', async () => {
  const { records } = cell;
  const put = (peer: PeerRecord, grant: GrantRecord): Promise<unknown> =>
    records.store.commit({ put: [records.peers.writing(peer.cell, peer), records.grants.writing(grant.id, grant)] });
  await put(PEER, GRANT);
  await expect(removeTenant(records, 'acme', 1_000)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message:
      'tenant acme is in use: it sees agents of partner (fleet peer tenants, or peer rm); its agents are granted by g1 (fleet grant revoke)',
  });
  await put({ ...PEER, state: 'revoked' }, GRANT);
  await expect(removeTenant(records, 'acme', 1_000)).rejects.toThrow('in use: its agents are granted by g1');
  await put({ ...PEER, state: 'revoked' }, { ...GRANT, revokedMs: 900 });
  await removeTenant(records, 'acme', 1_000);
  expect(records.tenants.get('acme')).toBeUndefined();
});

it('a grant that is over holds no tenant', async () => {
  const { records } = cell;
  await records.store.commit({ put: [records.grants.writing('g1', GRANT)] });
  await removeTenant(records, 'acme', 5_000);
  expect(records.tenants.get('acme')).toBeUndefined();
});

it('tokens that would bring somebody into a tenant are void with it, others are not', async () => {
  const { records } = cell;
  const token = { host: '', user: '', expiresMs: 5_000, replace: false, createdBy: 'test', used: null };
  const operator = { name: 'maria', role: 'viewer' as const, tenants: ['default', 'acme'], takeover: false };
  const put = [
    records.tokens.writing('host', { ...token, tenantId: 'acme' }),
    records.tokens.writing('person', { ...token, tenantId: 'default', operator }),
    records.tokens.writing('other', { ...token, tenantId: 'default' }),
  ];
  await records.store.commit({ put });
  await removeTenant(records, 'acme', 1_000);
  expect([...records.tokens.entries()].map(([name]) => name)).toEqual(['other']);
});
