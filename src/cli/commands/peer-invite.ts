import { adminEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import { invitePeer } from '../client/peer-methods.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { spanMs } from '../orders/time-span.ts';
import { jsonText } from '../render/json.ts';

const DEADLINE_MS = 5_000;
const LIFETIME = { leastMs: 1_000, mostMs: 15 * 60_000 };

export const run = async ({ positionals, flags, paths, stdout, stderr, signal }: CommandContext): Promise<number> => {
  const [cell = ''] = positionals;
  const tenants = (flags.tenant as string[] | undefined) ?? [];
  const validSeconds = Math.floor(spanMs('expires', flags.expires as string, LIFETIME) / 1_000);
  using channel = new GrpcChannel(adminEndpoint(paths));
  const asked = await channel.unary(invitePeer, { cell, tenants, validSeconds }, { deadlineMs: DEADLINE_MS, signal });
  const { token, expiresMs, addresses } = asked;
  const expires = new Date(expiresMs).toISOString();
  if (flags.output === 'json') {
    stdout.write(
      `${jsonText({ schema: 'fleet.peer-invitation/v1', cell: cell || null, token, expires, addresses })}\n`,
    );
    return EXIT.done;
  }
  stdout.write(`${token}\n`);
  stderr.write(`for ${cell || 'any cell'}, once, until ${expires}; there: fleet peer accept < TOKEN\n`);
  if (addresses.every((address) => /^(127\.|\[::1\])/.test(address))) {
    stderr.write('this controller listens on loopback only: fleet up --listen ADDR:PORT opens it to others\n');
  }
  return EXIT.done;
};
