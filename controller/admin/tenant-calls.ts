/** The administrator's calls about tenants and their bindings. */

import { DEFAULT_TENANT } from '../../src/domain/tenant.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { AdminServiceService } from '../../src/wire/gen/fleet/v1/admin.ts';
import type { Tenant } from '../../src/wire/gen/fleet/v1/tenants.ts';
import type { Handlers, Targets } from '../grpc/handlers.ts';
import type { Records } from '../store/records.ts';
import { bindUser, type Rebound, unbindUser } from '../tenancy/bindings.ts';
import { actorOf } from '../tenancy/caller.ts';
import { addTenant, boundTo, operatorsOf, removeTenant } from '../tenancy/tenants.ts';

type Definition = typeof AdminServiceService;

const MAX_TARGET = 256;

export const TENANT_TARGETS: Targets<Definition> = {
  addTenant: ({ tenantId }) => ({ target: tenantId.slice(0, MAX_TARGET), tenantId: tenantId.slice(0, MAX_TARGET) }),
  removeTenant: ({ tenantId }) => ({ target: tenantId.slice(0, MAX_TARGET), tenantId: tenantId.slice(0, MAX_TARGET) }),
  bindTenant: ({ tenantId, host, user }) => ({
    target: `${host}/${user} to ${tenantId}`.slice(0, MAX_TARGET),
    tenantId: tenantId.slice(0, MAX_TARGET),
  }),
  unbindTenant: ({ host, user }) => `${host}/${user}`.slice(0, MAX_TARGET),
};

export const tenantHandlers = (
  records: Records,
  cell: string,
  clock: Clock,
): Pick<Handlers<Definition>, 'addTenant' | 'listTenants' | 'removeTenant' | 'bindTenant' | 'unbindTenant'> => ({
  addTenant: async (caller, { tenantId }) => ({
    added: await addTenant(records, tenantId, { nowMs: clock.nowMs(), by: actorOf(caller) }),
  }),
  listTenants: () => {
    const others = [...records.tenants.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      tenants: [
        told(records, DEFAULT_TENANT),
        ...others.map(([tenantId, { addedMs }]) => ({ ...told(records, tenantId), addedMs })),
      ],
    };
  },
  removeTenant: async (_caller, { tenantId }) => {
    await removeTenant(records, tenantId, clock.nowMs());
    return {};
  },
  bindTenant: async (caller, { tenantId, host, user }) => {
    const record = { tenantId, boundMs: clock.nowMs(), boundBy: actorOf(caller) };
    return toWire(await bindUser(records, cell, { host, user }, record));
  },
  unbindTenant: async (_caller, { host, user }) => toWire(await unbindUser(records, cell, { host, user })),
});

const told = (records: Records, tenantId: string): Tenant => ({
  tenantId,
  bindings: boundTo(records, tenantId).map(({ isEnrolled, ...pair }) => ({ ...pair, enrolled: isEnrolled })),
  operators: operatorsOf(records, tenantId),
});

const toWire = ({ isEnrolled, ...rebound }: Rebound) => ({ ...rebound, enrolled: isEnrolled });
