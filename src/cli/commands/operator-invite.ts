import { DEFAULT_TENANT } from '../../domain/tenant.ts';
import { inviteOperator } from '../client/admin-methods.ts';
import { adminEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { spanMs } from '../orders/time-span.ts';
import { jsonText } from '../render/json.ts';

const DEADLINE_MS = 5_000;
/** Of the invitation. */
const LIFETIME = { leastMs: 1_000, mostMs: 15 * 60_000 };

export const run = async ({ positionals, flags, paths, stdout, stderr, signal }: CommandContext): Promise<number> => {
  const [name = ''] = positionals;
  const role = flags.role as string;
  const tenants = ((flags.tenant as string[] | undefined) ?? []).flatMap((each) => each.split(','));
  const takeover = flags.takeover === true;
  const validSeconds = Math.floor(spanMs('expires', flags.expires as string, LIFETIME) / 1_000);
  const request = { name, role, tenants, takeover, validSeconds };
  using channel = new GrpcChannel(adminEndpoint(paths));
  const { token, expiresMs } = await channel.unary(inviteOperator, request, { deadlineMs: DEADLINE_MS, signal });
  const expires = new Date(expiresMs).toISOString();
  if (flags.output === 'json') {
    const told = {
      name,
      role,
      tenants: role === 'admin' ? null : tenants.length > 0 ? tenants : [DEFAULT_TENANT],
      takeover,
    };
    stdout.write(`${jsonText({ schema: 'fleet.invitation/v1', ...told, token, expires })}\n`);
    return EXIT.done;
  }
  stdout.write(`${token}\n`);
  stderr.write(`for ${name} as ${role}, once, until ${expires}; on their machine: fleet login - < TOKEN\n`);
  return EXIT.done;
};
