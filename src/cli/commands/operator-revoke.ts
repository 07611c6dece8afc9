import { revokeOperator } from '../client/admin-methods.ts';
import { adminEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import type { CommandContext } from '../command.ts';
import { confirm } from '../confirm.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonText } from '../render/json.ts';

const DEADLINE_MS = 5_000;

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, paths, stdout, signal } = context;
  const [name = ''] = positionals;
  await confirm(context, `revoke operator ${name}, and cut what is open?`);
  using channel = new GrpcChannel(adminEndpoint(paths));
  const { spiffeId } = await channel.unary(revokeOperator, { name }, { deadlineMs: DEADLINE_MS, signal });
  if (flags.output === 'json') {
    const outcome = spiffeId === '' ? 'withdrawn' : 'revoked';
    stdout.write(`${jsonText({ schema: 'fleet.revoked/v1', name, spiffe_id: spiffeId || null, outcome })}\n`);
    return EXIT.done;
  }
  const what = spiffeId === '' ? `invitation of ${name} withdrawn` : `${spiffeId} revoked; what it had open is cut`;
  stdout.write(`${what}\n`);
  return EXIT.done;
};
