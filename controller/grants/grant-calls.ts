/** AddGrant, ListGrants and RevokeGrant. Who may make them is the door's affair; that they were made is in the audit already. */
import type { AdminServiceService } from '../../src/wire/gen/fleet/v1/admin.ts';
import type { Grant } from '../../src/wire/gen/fleet/v1/grants.ts';
import type { Handlers, Targets } from '../grpc/handlers.ts';
import type { GrantRecord } from '../store/records.ts';
import { actorOf } from '../tenancy/caller.ts';
import type { Grants } from './grants.ts';

type Admin = typeof AdminServiceService;
export type GrantCall = 'addGrant' | 'listGrants' | 'revokeGrant';

const MAX_TARGET = 256;

export const GRANT_TARGETS: Targets<Admin> = {
  addGrant: ({ peer, tenants, hosts, agents, verbs, dryRun }) =>
    [dryRun ? 'dry run:' : '', peer, ...tenants, ...hosts, ...agents, ...verbs].join(' ').trim().slice(0, MAX_TARGET),
  listGrants: ({ id, peer }) => (id || peer || 'grants').slice(0, MAX_TARGET),
  revokeGrant: ({ id }) => `grant ${id}`.slice(0, MAX_TARGET),
};

export const grantHandlers = (grants: Grants): Pick<Handlers<Admin>, GrantCall> => {
  const told = (grant: GrantRecord, withRows: boolean): Grant => ({
    id: grant.id,
    peer: grant.peer,
    tenants: grant.tenants,
    hosts: grant.hosts,
    agents: grant.agents,
    verbs: grant.verbs,
    rowLimit: grant.rowLimit,
    expiresMs: grant.expiresMs ?? undefined,
    createdMs: grant.createdMs,
    createdBy: grant.createdBy,
    revokedMs: grant.revokedMs ?? undefined,
    status: grants.statusOf(grant),
    rows: withRows ? grants.covered(grant) : undefined,
  });
  return {
    addGrant: async (caller, request) => {
      const actor = actorOf(caller);
      const grant = request.dryRun ? grants.propose(request, actor) : await grants.add(request, actor);
      return { grant: told(grant, true) };
    },
    listGrants: (_caller, { id, peer }) => ({
      grants: id === '' ? grants.to(peer).map((grant) => told(grant, false)) : [told(grants.get(id), true)],
    }),
    revokeGrant: async (_caller, { id }) => {
      const { grant, repeated } = await grants.revoke(id);
      return { grant: told(grant, false), repeated };
    },
  };
};
