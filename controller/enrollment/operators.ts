/** People elsewhere: invited by a token that serves once, listed, and revoked together with what they were invited by. */
import { FleetError } from '../../src/domain/errors.ts';
import { ROLES, type Role } from '../../src/domain/role.ts';
import { DEFAULT_TENANT } from '../../src/domain/tenant.ts';
import { formatSpiffeId, isIdentityName } from '../../src/identity/spiffe-id.ts';
import type { InviteOperatorRequest, Operator } from '../../src/wire/gen/fleet/v1/operators.ts';
import type { IdentityRecord, InvitedRecord, Records } from '../store/records.ts';
import { ADMIN_SOCKET_OPERATOR } from '../tenancy/caller.ts';
import { requireName, requireTenant } from '../tenancy/tenants.ts';
import { issueToken, type TokenContext } from './tokens.ts';

const uriOf = (cell: string, name: string): string => formatSpiffeId({ kind: 'operator', cell, name });

/** INVALID_ARGUMENT for what nobody can be, NOT_FOUND for an unknown tenant, ALREADY_EXISTS for a name that somebody bears now. Durable when it resolves. */
export const inviteOperator = async (
  wish: InviteOperatorRequest,
  context: TokenContext,
): Promise<{ token: string; expiresMs: number }> => {
  const operator = invitedBy(wish);
  for (const tenant of operator.tenants) requireTenant(context.records, tenant);
  const present = context.records.identities.get(uriOf(context.cell, operator.name));
  if (present !== undefined && !present.revoked) {
    throw new FleetError(
      'ALREADY_EXISTS',
      `${operator.name} is an operator already (${present.role}): "fleet operator revoke ${operator.name}" first`,
    );
  }
  const tenantId = operator.tenants[0] ?? '';
  return await issueToken({ host: '', user: '', tenantId, replace: false, operator }, wish.validSeconds, context);
};

const invitedBy = ({ name, role, tenants, takeover }: InviteOperatorRequest): InvitedRecord => {
  const refuse = (why: string): FleetError => new FleetError('INVALID_ARGUMENT', why);
  requireName('name', name);
  if (name === ADMIN_SOCKET_OPERATOR) throw refuse(`${name} is how peers know the admin socket: choose another name`);
  if (!ROLES.includes(role as Role)) throw refuse(`role ${JSON.stringify(role)}: one of ${ROLES.join(', ')}`);
  if (role === 'admin' && tenants.length > 0) throw refuse('an admin is told of every tenant: name none');
  if (role === 'viewer' && takeover) throw refuse('a viewer types nothing: a takeover needs the role operator');
  const own = tenants.length === 0 ? [DEFAULT_TENANT] : [...new Set(tenants)];
  return { name, role: role as Role, tenants: role === 'admin' ? [] : own, takeover: takeover || role === 'admin' };
};

/** By name; whoever is invited anew is told of once, as invited. */
export const listOperators = (
  records: Records,
  nowMs: number,
  lastSeenMs: (spiffeId: string) => number | null,
): Operator[] => {
  const listed = new Map<string, Operator>();
  for (const [uri, record] of records.identities.entries()) {
    if (record.kind !== 'operator') continue;
    const { name, role, tenants = [record.tenantId], takeover = false, enrolledMs, certificateNotAfterMs } = record;
    listed.set(name, {
      name,
      role,
      tenants: role === 'admin' ? [] : [...tenants],
      takeover,
      state: stateOf(record, nowMs),
      enrolledMs,
      notAfterMs: certificateNotAfterMs,
      lastSeenMs: lastSeenMs(uri) ?? undefined,
    });
  }
  for (const [, { operator, used, expiresMs }] of records.tokens.entries()) {
    if (operator === undefined || used !== null || nowMs >= expiresMs) continue;
    const { name, role, tenants, takeover } = operator;
    if (listed.get(name)?.state === 'active') continue;
    listed.set(name, { name, role, tenants: [...tenants], takeover, state: 'invited', notAfterMs: expiresMs });
  }
  return [...listed.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
};

const stateOf = ({ revoked, certificateNotAfterMs }: IdentityRecord, nowMs: number): string =>
  revoked ? 'revoked' : nowMs < certificateNotAfterMs ? 'active' : 'expired';

/**
 * With every unused invitation of that name, and every unused token and invitation that it made: they would be its way back.
 * NOT_FOUND for nobody. The SPIFFE id that fell, or none; durable when it resolves.
 */
export const revokeOperator = async (records: Records, cell: string, name: string): Promise<string> => {
  const uri = isIdentityName(name) ? uriOf(cell, name) : '';
  const record = records.identities.get(uri);
  const isActive = record !== undefined && !record.revoked;
  const unused = [...records.tokens.entries()].filter(([, { used }]) => used === null);
  const isInvited = unused.some(([, { operator }]) => operator?.name === name);
  if (!isActive && !isInvited) {
    const what = record === undefined ? `no operator ${JSON.stringify(name)}` : `${name} is revoked already`;
    throw new FleetError('NOT_FOUND', `${what}: see "fleet operator ls"`);
  }
  await records.store.commit({
    put: isActive ? [records.identities.writing(uri, { ...record, revoked: true })] : [],
    remove: [
      ...unused
        .filter(([, { operator, createdBy }]) => operator?.name === name || createdBy === uri)
        .map(([token]) => records.tokens.keyOf(token)),
      ...[...records.invitations.entries()]
        .filter(([, { used, createdBy }]) => used === null && createdBy === uri)
        .map(([invitation]) => records.invitations.keyOf(invitation)),
    ],
  });
  return isActive ? uri : '';
};
