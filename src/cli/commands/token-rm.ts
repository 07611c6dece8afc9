import { FleetError } from '../../domain/errors.ts';
import { listTokens, withdrawTokens } from '../client/admin-methods.ts';
import { askAdmin } from '../client/ask-admin.ts';
import type { CommandContext } from '../command.ts';
import { confirm } from '../confirm.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonText } from '../render/json.ts';
import { UsageError } from '../usage-error.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, stdout } = context;
  const [named = ''] = positionals;
  if ((flags.any === true) === (named !== '')) throw new UsageError('name either a HOST, or --any');
  const [host = '', user = '', ...more] = named.split('/');
  if (more.length > 0 || (named.includes('/') && (host === '' || user === ''))) {
    throw new UsageError(`"${named}": HOST, or HOST/USER`);
  }
  const whom = named || 'any host';
  const { tokens } = await askAdmin(context, listTokens, {});
  const open = tokens.filter((token) => token.host === host && (user === '' || token.user === user)).length;
  if (open === 0) throw new FleetError('NOT_FOUND', `no join token for ${whom} can be used: see "fleet token ls"`);
  await confirm(context, `withdraw what can be used by ${whom} (${countWords(open)})?`);
  const { withdrawn } = await askAdmin(context, withdrawTokens, { host, user });
  if (flags.output === 'json') {
    const told = { host: host || null, user: user || null, withdrawn, outcome: 'withdrawn' };
    stdout.write(`${jsonText({ schema: 'fleet.withdrawn/v1', ...told })}\n`);
  } else stdout.write(`${countWords(withdrawn)} for ${whom} withdrawn\n`);
  return EXIT.done;
};

const countWords = (count: number): string => `${count} token${count === 1 ? '' : 's'}`;
