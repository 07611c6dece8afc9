import type { OpenToken } from '../../wire/gen/fleet/v1/admin_messages.ts';
import { listTokens } from '../client/admin-methods.ts';
import { askAdmin } from '../client/ask-admin.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { linesOf, writeAll } from '../output.ts';
import { RunningTable } from '../records/running-table.ts';
import { fine } from '../render/duration.ts';
import { isoTime } from '../render/iso-time.ts';
import { jsonText } from '../render/json.ts';
import { painterFor } from '../render/paint.ts';
import type { Column } from '../render/table.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const { flags, stdout, stderr, env, signal } = context;
  const { tokens } = await askAdmin(context, listTokens, {});
  if (flags.output === 'json') {
    stdout.write(`${jsonText({ schema: 'fleet.tokens/v1', tokens: tokens.map(tokenObject) })}\n`);
    return EXIT.done;
  }
  if (tokens.length === 0) stderr.write('no token can be used: fleet token HOST makes one\n');
  const table = new RunningTable(columnsAt(Date.now()), painterFor(stdout, env));
  if (tokens.length > 0) await writeAll(stdout, linesOf(table.lines(tokens)), signal);
  return EXIT.done;
};

const columnsAt = (nowMs: number): readonly Column<OpenToken>[] => [
  { title: 'HOST', cell: ({ host }) => host || '(any)' },
  { title: 'USER', cell: ({ user }) => user || '(any)' },
  { title: 'TENANT', cell: ({ tenantId }) => tenantId || null },
  {
    title: 'LEFT',
    cell: ({ expiresMs }) => fine(Math.max(0, Math.floor((expiresMs - nowMs) / 1_000))),
    align: 'right',
  },
  { title: 'REPLACE', cell: ({ replace }) => (replace ? 'yes' : null) },
  { title: 'BY', cell: ({ createdBy }) => createdBy },
];

const tokenObject = ({ host, user, tenantId, expiresMs, replace, createdBy }: OpenToken) => ({
  host: host || null,
  user: user || null,
  tenant_id: tenantId || null,
  expires: isoTime(expiresMs),
  replace,
  created_by: createdBy,
});
