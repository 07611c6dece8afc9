import { removeTenant } from '../client/admin-methods.ts';
import { askAdmin } from '../client/ask-admin.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonText } from '../render/json.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const [tenantId = ''] = context.positionals;
  await askAdmin(context, removeTenant, { tenantId });
  const document = { schema: 'fleet.tenant/v1', tenant_id: tenantId, removed: true };
  context.stdout.write(`${context.flags.output === 'json' ? jsonText(document) : `tenant ${tenantId} is removed`}\n`);
  return EXIT.done;
};
