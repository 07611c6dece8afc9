/**
 * Which Linux user on which host is whose. A binding may stand before its host-agent is enrolled; then enrolment uses it.
 * A change counts at once: what is enrolled moves in the same commit.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { DEFAULT_TENANT } from '../../src/domain/tenant.ts';
import { formatSpiffeId } from '../../src/identity/spiffe-id.ts';
import type { BindingRecord, IdentityRecord, Records } from '../store/records.ts';
import type { Commit } from '../store/store.ts';
import { requireName, requireTenant } from './tenants.ts';

export interface UserOnHost {
  host: string;
  user: string;
}

export interface Rebound {
  previousTenantId: string;
  isEnrolled: boolean;
  /** What its callers were allowed elsewhere: that was among the other tenant's. */
  withdrawnVerbs: string[];
}

const nameOf = ({ host, user }: UserOnHost): string => `${host}/${user}`;

/** Whose it is bound to be; undefined where nobody said so. */
export const boundTenant = (records: Records, pair: UserOnHost): string | undefined =>
  records.bindings.get(nameOf(pair))?.tenantId;

/** The part of an enrolment's commit that keeps whose it is. */
export const keepingBinding = (
  records: Records,
  pair: UserOnHost,
  record: BindingRecord,
): NonNullable<Commit['put']> =>
  boundTenant(records, pair) !== undefined || record.tenantId === DEFAULT_TENANT
    ? []
    : [records.bindings.writing(nameOf(pair), record)];

/** Moves it to that tenant, now or once it is enrolled. NOT_FOUND for an unknown tenant. Durable when it resolves. */
export const bindUser = async (
  records: Records,
  cell: string,
  pair: UserOnHost,
  record: BindingRecord,
): Promise<Rebound> => {
  requirePair(pair);
  requireTenant(records, record.tenantId);
  return await rebind(records, cell, pair, record);
};

/** Back to the default tenant. NOT_FOUND for what is bound to none. Durable when it resolves. */
export const unbindUser = async (records: Records, cell: string, pair: UserOnHost): Promise<Rebound> => {
  requirePair(pair);
  if (boundTenant(records, pair) === undefined && presentTenant(records, cell, pair) === DEFAULT_TENANT) {
    throw new FleetError('NOT_FOUND', `${nameOf(pair)} is bound to no tenant: see "fleet tenant ls"`);
  }
  return await rebind(records, cell, pair, null);
};

/** INVALID_ARGUMENT for a host or user that can be none. */
const requirePair = ({ host, user }: UserOnHost): void => {
  requireName('host', host);
  requireName('user', user);
};

const uriOf = (cell: string, { host, user }: UserOnHost): string => formatSpiffeId({ kind: 'host', cell, host, user });

const enrolled = (records: Records, cell: string, pair: UserOnHost): IdentityRecord | undefined => {
  const record = records.identities.get(uriOf(cell, pair));
  return record?.revoked ? undefined : record;
};

const presentTenant = (records: Records, cell: string, pair: UserOnHost): string =>
  enrolled(records, cell, pair)?.tenantId ?? boundTenant(records, pair) ?? DEFAULT_TENANT;

const rebind = async (
  records: Records,
  cell: string,
  pair: UserOnHost,
  record: BindingRecord | null,
): Promise<Rebound> => {
  const { bindings, identities, ceilings, tenants, store } = records;
  const name = nameOf(pair);
  const uri = uriOf(cell, pair);
  const identity = enrolled(records, cell, pair);
  const previousTenantId = presentTenant(records, cell, pair);
  const tenantId = record?.tenantId ?? DEFAULT_TENANT;
  const hasMoved = previousTenantId !== tenantId;
  const withdrawnVerbs = hasMoved ? (ceilings.get(name)?.verbs ?? []) : [];
  const committed = await store.commit({
    expect: [bindings.expectation(name), identities.expectation(uri), tenants.expectation(tenantId)],
    put: [
      ...(record === null ? [] : [bindings.writing(name, record)]),
      ...(identity === undefined || !hasMoved ? [] : [identities.writing(uri, { ...identity, tenantId })]),
    ],
    remove: [
      ...(record === null ? [bindings.keyOf(name)] : []),
      ...(withdrawnVerbs.length === 0 ? [] : [ceilings.keyOf(name)]),
    ],
  });
  if (committed === null) throw new FleetError('ABORTED', `${name} changed meanwhile: try again`, { retryable: true });
  return { previousTenantId, isEnrolled: identity !== undefined, withdrawnVerbs };
};
