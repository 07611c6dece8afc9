/** The administrator's calls. Who may make them is the door's affair; that they were made is in the audit already. */
import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { AdminServiceService } from '../../src/wire/gen/fleet/v1/admin.ts';
import type { ControllerStatusResponse } from '../../src/wire/gen/fleet/v1/admin_messages.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { BackUpContext } from '../backup/back-up.ts';
import { listOpenTokens, withdrawTokens } from '../enrollment/open-tokens.ts';
import { inviteOperator, listOperators, revokeOperator } from '../enrollment/operators.ts';
import { quarantineHost } from '../enrollment/quarantine.ts';
import { revokeHost } from '../enrollment/revoke.ts';
import type { Rotation } from '../enrollment/rotation.ts';
import { createToken, type TokenContext } from '../enrollment/tokens.ts';
import type { Handlers, Targets } from '../grpc/handlers.ts';
import type { Records } from '../store/records.ts';
import { actorOf, type Caller } from '../tenancy/caller.ts';
import { allowVerbs, parseGrantableVerbs } from '../tenancy/ceilings.ts';
import { isVisible } from '../tenancy/visible.ts';
import type { Addresses } from './addresses.ts';
import { AUDIT_TARGETS, auditHandlers } from './audit-calls.ts';
import { BACKUP_TARGETS, backupHandlers } from './backup-calls.ts';
import { ROTATION_TARGETS, rotationHandlers } from './rotation-calls.ts';
import { TENANT_TARGETS, tenantHandlers } from './tenant-calls.ts';

type Definition = typeof AdminServiceService;
/** Those of other rooms are put beside them where all meet. */
type Elsewhere =
  | 'addGrant'
  | 'listGrants'
  | 'revokeGrant'
  | 'invitePeer'
  | 'acceptPeer'
  | 'listPeers'
  | 'setPeerTenants'
  | 'removePeer';
type Administered = Exclude<keyof Definition, Elsewhere>;

export interface AdminContext {
  records: Records;
  audit: AuditLog;
  clock: Clock;
  cell: string;
  /** Of the authority that signs. */
  fingerprint: () => string;
  addresses: Addresses;
  rotation: Rotation;
  backup: BackUpContext;
  version: string;
  /** `host/user` of host-agents that were removed: forget their rows; their streams are being cut already. */
  onRemoved: (hostAgents: readonly string[]) => Promise<void>;
  /** Host-agents known to the registry, and those of them with a live link. */
  count: () => { hostAgents: number; connected: number };
  /** Of an identity: its newest call, since this controller started; null for none. */
  lastSeenMs: (spiffeId: string) => number | null;
}

export const ADMIN_TARGETS: Targets<Definition> = {
  createToken: ({ host, user }) => `${host || '*'}/${user || '*'}`,
  withdrawTokens: ({ host, user }) => `${host || '*'}/${user || '*'}`,
  removeHost: ({ host, user }) => `${host}/${user || '*'}`,
  listen: ({ address, advertise }) => [address || 'all interfaces', ...advertise].join(' '),
  allowVerbs: ({ host, user, verbs }) => `${host}/${user || '*'} ${verbs.join(',')}`,
  inviteOperator: ({ name, role, tenants, takeover }) =>
    [`operator ${name}`, role, ...tenants, ...(takeover ? ['takeover'] : [])].join(' ').slice(0, 256),
  revokeOperator: ({ name }) => `operator ${name}`.slice(0, 256),
  quarantineHost: ({ host, user, lift }) => `${host}/${user || '*'}${lift ? ' lifted' : ''}`.slice(0, 256),
  ...AUDIT_TARGETS,
  ...ROTATION_TARGETS,
  ...BACKUP_TARGETS,
  ...TENANT_TARGETS,
};

export const adminHandlers = (context: AdminContext): Pick<Handlers<Definition>, Administered> => {
  const { records, clock, cell, addresses, version } = context;
  const hostsOf = (host: string, user: string): { host: string; user: string }[] => {
    const found = [...records.identities.entries()]
      .map(([, record]) => record)
      .filter((record) => record.kind === 'host' && !record.revoked && record.host === host)
      .filter((record) => user === '' || record.user === user);
    if (found.length > 0) return found.map((record) => ({ host: record.host, user: record.user }));
    throw new FleetError('NOT_FOUND', `no host ${host}${user === '' ? '' : `/${user}`} is enrolled: see "fleet hosts"`);
  };
  const tokenContext = (caller: Caller): TokenContext => ({
    records,
    clock,
    cell,
    fingerprint: context.fingerprint(),
    addresses: addresses.dialable(),
    createdBy: actorOf(caller),
  });
  return {
    ...auditHandlers(context.audit, clock),
    ...rotationHandlers(context.rotation),
    ...backupHandlers(context.backup, context.rotation),
    ...tenantHandlers(records, cell, clock),
    createToken: (caller, wish) => createToken(wish, tokenContext(caller)),
    listTokens: () => ({ tokens: listOpenTokens(records, clock.nowMs()) }),
    withdrawTokens: async (_caller, request) => ({ withdrawn: await withdrawTokens(records, request, clock.nowMs()) }),
    inviteOperator: (caller, wish) => inviteOperator(wish, tokenContext(caller)),
    listOperators: () => ({ operators: listOperators(records, clock.nowMs(), context.lastSeenMs) }),
    revokeOperator: async (_caller, { name }) => ({ spiffeId: await revokeOperator(records, cell, name) }),
    removeHost: async (_caller, { host, user }) => {
      const removed = await revokeHost(records, host, user);
      await context.onRemoved(removed.map((uri) => uri.replace(/^.*\/host\/(.+)\/user\/(.+)$/, '$1/$2')));
      return { removed };
    },
    listen: async (_caller, { address, advertise }) => {
      const opened = await addresses.open(address, advertise);
      return { listening: addresses.listening(), advertised: addresses.advertised(), opened };
    },
    allowVerbs: async (_caller, { host, user, verbs }) => {
      const allowed = parseGrantableVerbs(verbs);
      await allowVerbs(records, hostsOf(host, user), allowed);
      return { verbs: allowed };
    },
    quarantineHost: (_caller, { host, user, lift }) => quarantineHost(records, { host, user }, !lift),
    listIdentities: (caller) => ({
      identities: [...records.identities.entries()]
        .filter(([, record]) => isVisible(caller, record))
        .map(([spiffeId, record]) => ({
          spiffeId,
          host: record.host,
          user: record.user,
          tenantId: record.tenantId,
          machineId: record.machineId,
          enrolledMs: record.enrolledMs,
          certificateNotAfterMs: record.certificateNotAfterMs,
          revoked: record.revoked,
        })),
    }),
    controllerStatus: (): ControllerStatusResponse => ({
      cell,
      version,
      listening: addresses.listening(),
      advertised: addresses.advertised(),
      fingerprint: context.fingerprint(),
      ...context.count(),
      pid: process.pid,
    }),
  };
};
