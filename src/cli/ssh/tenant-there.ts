/** Whose the agents of that user on that machine shall be, where `host add` was told so. */
import { FleetError } from '../../domain/errors.ts';
import { DEFAULT_TENANT } from '../../domain/tenant.ts';
import { bindTenant, listTenants } from '../client/admin-methods.ts';
import { askAdmin } from '../client/ask-admin.ts';
import { done, unchanged, would } from '../install/steps.ts';
import type { AddContext, Survey } from './add-context.ts';

/** NOT_FOUND or FAILED_PRECONDITION, as the controller would say when it is too late to have changed nothing. */
export const requireTenant = async (context: AddContext, found: Survey): Promise<void> => {
  const { tenant } = context.options;
  if (tenant === undefined) return;
  const { tenants } = await askAdmin(context, listTenants, {});
  if (!tenants.some(({ tenantId }) => tenantId === tenant)) {
    throw new FleetError('NOT_FOUND', `no tenant ${tenant}: "fleet tenant add ${tenant}" makes it`);
  }
  const isIt = ({ host, user }: { host: string; user: string }): boolean =>
    host === found.host && user === found.facts.user;
  const whose = tenants.find(({ bindings }) => bindings.some(isIt))?.tenantId ?? DEFAULT_TENANT;
  if (whose === tenant || whose === DEFAULT_TENANT) return;
  const pair = `${found.host}/${found.facts.user}`;
  throw new FleetError(
    'FAILED_PRECONDITION',
    `${pair} is bound to tenant ${whose}: "fleet tenant bind ${tenant} ${pair}" moves it`,
  );
};

/** Of a host that was enrolled before and is not enrolled anew. */
export const settleTenant = async (context: AddContext, { host, facts: { user } }: Survey): Promise<void> => {
  const { steps, options } = context;
  const tenantId = options.tenant;
  if (tenantId === undefined) return;
  await steps.run('tenant', async () => {
    if (options.dryRun) return would(`be of ${tenantId}`);
    const { previousTenantId } = await askAdmin(context, bindTenant, { tenantId, host, user });
    return previousTenantId === tenantId ? unchanged(tenantId) : done(`${tenantId}, no more ${previousTenantId}`);
  });
};
