import type { Grant } from '../../wire/gen/fleet/v1/grants.ts';
import { adminEndpoint } from '../client/endpoints.ts';
import { listGrants, revokeGrant } from '../client/grant-methods.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import type { CommandContext } from '../command.ts';
import { confirm } from '../confirm.ts';
import { EXIT } from '../exit-codes.ts';
import { GRANT_SCHEMA, grantObject } from '../grants/grant-text.ts';
import { jsonText } from '../render/json.ts';

const DEADLINE_MS = 10_000;

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, paths, stdout, signal } = context;
  const options = { deadlineMs: DEADLINE_MS, signal };
  using channel = new GrpcChannel(adminEndpoint(paths));
  const ids = [...new Set(positionals)];
  // All of them are there before the first one ends.
  const found: Grant[] = [];
  for (const id of ids) found.push(...(await channel.unary(listGrants, { id, peer: '' }, options)).grants);
  const peers = [...new Set(found.map(({ peer }) => peer))].join(', ');
  await confirm(context, `end ${ids.length} grant${ids.length === 1 ? '' : 's'} to ${peers} for ever?`);
  const ended: object[] = [];
  for (const id of ids) {
    const { grant, repeated } = await channel.unary(revokeGrant, { id }, options);
    if (flags.output === 'json') ended.push({ ...(grant ? grantObject(grant) : { id }), repeated });
    else stdout.write(repeated ? `${id} was revoked before\n` : `${id} revoked\n`);
  }
  if (flags.output === 'json') stdout.write(`${jsonText({ schema: GRANT_SCHEMA, grants: ended })}\n`);
  return EXIT.done;
};
