import { addTenant } from '../client/admin-methods.ts';
import { askAdmin } from '../client/ask-admin.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonText } from '../render/json.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const [tenantId = ''] = context.positionals;
  const { added } = await askAdmin(context, addTenant, { tenantId });
  const document = { schema: 'fleet.tenant/v1', tenant_id: tenantId, added };
  const words = added ? `tenant ${tenantId} is made` : `tenant ${tenantId} is there already`;
  context.stdout.write(`${context.flags.output === 'json' ? jsonText(document) : words}\n`);
  return EXIT.done;
};
