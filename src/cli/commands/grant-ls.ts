import { adminEndpoint } from '../client/endpoints.ts';
import { listGrants } from '../client/grant-methods.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { GRANT_SCHEMA, grantLines, grantObject } from '../grants/grant-text.ts';
import { linesOf, writeAll } from '../output.ts';
import { jsonText } from '../render/json.ts';

const DEADLINE_MS = 10_000;

export const run = async ({ positionals, flags, paths, stdout, stderr, signal }: CommandContext): Promise<number> => {
  using channel = new GrpcChannel(adminEndpoint(paths));
  const request = { id: '', peer: positionals[0] ?? '' };
  const { grants: all } = await channel.unary(listGrants, request, { deadlineMs: DEADLINE_MS, signal });
  const grants = flags.all === true ? all : all.filter(({ status }) => status !== 'expired' && status !== 'revoked');
  if (flags.output === 'json') {
    await writeAll(stdout, [`${jsonText({ schema: GRANT_SCHEMA, grants: grants.map(grantObject) })}\n`], signal);
    return EXIT.done;
  }
  if (grants.length > 0) await writeAll(stdout, linesOf(grantLines(grants, Date.now())), signal);
  const over = all.length - grants.length;
  const hidden = over === 0 ? '' : `; ${over} over: --all`;
  stderr.write(`${grants.length} grant${grants.length === 1 ? '' : 's'}${hidden}\n`);
  return EXIT.done;
};
