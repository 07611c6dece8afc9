import { DEFAULT_TENANT } from '../../domain/tenant.ts';
import { unbindTenant } from '../client/admin-methods.ts';
import { askAdmin } from '../client/ask-admin.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { tellBinding } from '../tenants/told-binding.ts';
import { parseUserOnHost } from '../user-on-host.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const [named = ''] = context.positionals;
  const pair = parseUserOnHost(named);
  const answer = await askAdmin(context, unbindTenant, pair);
  tellBinding(context, { ...pair, tenantId: DEFAULT_TENANT, ...answer });
  return EXIT.done;
};
