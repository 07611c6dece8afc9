/**
 * Tenants: made and removed by an administrator, never by being named. Everybody may learn here whether one is; the
 * callers of this room are administrators, or give the answer in words that say nothing.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { grantStatus } from '../../src/domain/grant.ts';
import { DEFAULT_TENANT } from '../../src/domain/tenant.ts';
import { isIdentityName } from '../../src/identity/spiffe-id.ts';
import type { Records } from '../store/records.ts';

export const isTenant = (records: Records, tenantId: string): boolean =>
  tenantId === DEFAULT_TENANT || records.tenants.get(tenantId) !== undefined;

/** NOT_FOUND naming the command that makes it. */
export const requireTenant = (records: Records, tenantId: string): void => {
  requireName('tenant', tenantId);
  if (isTenant(records, tenantId)) return;
  throw new FleetError('NOT_FOUND', `no tenant ${tenantId}: "fleet tenant add ${tenantId}" makes it`);
};

/** INVALID_ARGUMENT for what could be no part of an identity. */
export const requireName = (what: string, name: string): void => {
  if (isIdentityName(name)) return;
  throw new FleetError('INVALID_ARGUMENT', `${what} ${JSON.stringify(name)}: use 1 to 64 of A-Z a-z 0-9 . _ -`);
};

/** Durable when it resolves; false: it was there already. */
export const addTenant = async (
  records: Records,
  tenantId: string,
  added: { nowMs: number; by: string },
): Promise<boolean> => {
  requireName('tenant', tenantId);
  if (isTenant(records, tenantId)) return false;
  const put = [records.tenants.writing(tenantId, { addedMs: added.nowMs, addedBy: added.by })];
  return (await records.store.commit({ expect: [records.tenants.expectation(tenantId)], put })) !== null;
};

/**
 * FAILED_PRECONDITION while anybody or anything hangs on it; NOT_FOUND. Unused tokens and invitations for it are void with it.
 * Durable when it resolves.
 */
export const removeTenant = async (records: Records, tenantId: string, nowMs: number): Promise<void> => {
  requireName('tenant', tenantId);
  if (!isTenant(records, tenantId))
    throw new FleetError('NOT_FOUND', `no tenant ${tenantId}: "fleet tenant ls" lists them`);
  if (tenantId === DEFAULT_TENANT) throw new FleetError('FAILED_PRECONDITION', 'the tenant default is always there');
  const users = boundTo(records, tenantId).map(({ host, user }) => `${host}/${user}`);
  const uses: [words: string, names: string[], mend: string][] = [
    ['bound are', users, 'tenant unbind'],
    ['its operators are', operatorsOf(records, tenantId), 'operator revoke'],
    ['it sees agents of', peersShownTo(records, tenantId), 'peer tenants, or peer rm'],
    ['its agents are granted by', grantsOf(records, tenantId, nowMs), 'grant revoke'],
  ];
  const whose = uses
    .filter(([, names]) => names.length > 0)
    .map(([words, names, mend]) => `${words} ${names.join(', ')} (fleet ${mend})`);
  // Another one of that name would come into all of it.
  if (whose.length > 0)
    throw new FleetError('FAILED_PRECONDITION', `tenant ${tenantId} is in use: ${whose.join('; ')}`);
  const expect = [records.tenants.expectation(tenantId)];
  await records.store.commit({ expect, remove: [records.tenants.keyOf(tenantId), ...openFor(records, tenantId)] });
};

/** Keys of what could still bring somebody into it. */
const openFor = ({ tokens, invitations }: Records, tenantId: string): string[] => [
  ...[...tokens.entries()]
    .filter(
      ([, { used, operator, tenantId: whose }]) => used === null && (operator?.tenants ?? [whose]).includes(tenantId),
    )
    .map(([name]) => tokens.keyOf(name)),
  ...[...invitations.entries()]
    .filter(([, { used, audience }]) => used === null && audience.includes(tenantId))
    .map(([name]) => invitations.keyOf(name)),
];

export interface BoundUser {
  host: string;
  user: string;
  isEnrolled: boolean;
}

/** Enrolled ones, and those that are bound before they are enrolled; by host and user. */
export const boundTo = (records: Records, tenantId: string): BoundUser[] => {
  const bound = new Map<string, BoundUser>();
  for (const [pair, record] of records.bindings.entries()) {
    const [host = '', user = ''] = pair.split('/');
    if (record.tenantId === tenantId) bound.set(pair, { host, user, isEnrolled: false });
  }
  for (const [, { kind, revoked, host, user, tenantId: whose }] of records.identities.entries()) {
    if (kind !== 'host' || revoked || whose !== tenantId) continue;
    bound.set(`${host}/${user}`, { host, user, isEnrolled: true });
  }
  return [...bound].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
};

/** Names of the operators for whom it exists; admins see every tenant and belong to none. */
export const operatorsOf = (records: Records, tenantId: string): string[] =>
  [...records.identities.entries()]
    .map(([, record]) => record)
    .filter(({ kind, revoked, role }) => kind === 'operator' && !revoked && role !== 'admin')
    .filter((record) => (record.tenants ?? [record.tenantId]).includes(tenantId))
    .map(({ name }) => name)
    .sort();

/** Cells whose grants exist for it. */
const peersShownTo = (records: Records, tenantId: string): string[] =>
  [...records.peers.entries()]
    .filter(([, { state, audience }]) => state !== 'revoked' && audience.includes(tenantId))
    .map(([cell]) => cell)
    .sort();

/** Ids of the grants that give something of it to a peer, or will. */
const grantsOf = (records: Records, tenantId: string, nowMs: number): string[] =>
  [...records.grants.entries()]
    .map(([, grant]) => grant)
    // Whatever becomes of its peer.
    .filter((grant) => grant.tenants.includes(tenantId) && grantStatus(grant, 'active', nowMs) === 'active')
    .map(({ id }) => id)
    .sort();
