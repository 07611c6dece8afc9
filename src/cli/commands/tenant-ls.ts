import { cleanText } from '../../domain/clean-text.ts';
import type { Tenant, TenantBinding } from '../../wire/gen/fleet/v1/tenants.ts';
import { listTenants } from '../client/admin-methods.ts';
import { askAdmin } from '../client/ask-admin.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { linesOf, writeAll } from '../output.ts';
import { isoTime } from '../render/iso-time.ts';
import { jsonText } from '../render/json.ts';
import { painterFor } from '../render/paint.ts';
import { type Column, layTable } from '../render/table.ts';

const SCHEMA = 'fleet.tenants/v1';

export const run = async (context: CommandContext): Promise<number> => {
  const { flags, stdout, signal } = context;
  const { tenants } = await askAdmin(context, listTenants, {});
  await writeAll(stdout, linesOf(linesIn(flags.output as string, tenants, context)), signal);
  return EXIT.done;
};

const linesIn = (form: string, tenants: readonly Tenant[], { stdout, env }: CommandContext): string[] => {
  if (form === 'json') return [jsonText({ schema: SCHEMA, tenants: tenants.map(tenantObject) })];
  if (form === 'ndjson') return tenants.map((tenant) => jsonText(tenantObject(tenant)));
  if (form === 'name') return tenants.map(({ tenantId }) => cleanText(tenantId));
  const table = layTable(COLUMNS, tenants, { width: Infinity, wide: true, indent: 0, paint: painterFor(stdout, env) });
  return [table.header, ...tenants.map((_, index) => table.line(index, null))].map((line) => line.trimEnd());
};

const tenantObject = ({ tenantId, addedMs, bindings, operators }: Tenant): object => ({
  tenant_id: tenantId,
  added: isoTime(addedMs ?? 0),
  bindings,
  operators,
});

const bindingText = ({ host, user, enrolled }: TenantBinding): string =>
  enrolled ? `${host}/${user}` : `(${host}/${user})`;

const COLUMNS: readonly Column<Tenant>[] = [
  { title: 'TENANT', cell: ({ tenantId }) => tenantId },
  { title: 'OPERATORS', cell: ({ operators }) => (operators.length === 0 ? null : operators.join(' ')) },
  { title: 'USERS', cell: ({ bindings }) => (bindings.length === 0 ? '-' : bindings.map(bindingText).join(' ')) },
];
