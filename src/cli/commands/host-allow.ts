import { allowVerbs } from '../client/admin-methods.ts';
import { adminEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonText } from '../render/json.ts';
import { UsageError } from '../usage-error.ts';

const DEADLINE_MS = 5_000;

export const run = async ({ positionals, flags, paths, stdout, signal }: CommandContext): Promise<number> => {
  const [named = '', ...words] = positionals;
  const verbs = words.flatMap((word) => word.split(',')).filter((word) => word !== '');
  if (flags.none === true && verbs.length > 0) throw new UsageError('--none and verbs contradict each other');
  if (flags.none !== true && verbs.length === 0) {
    throw new UsageError('name what its callers may do elsewhere (send, lifecycle, deploy, takeover), or --none');
  }
  const { host, user } = hostAndUser(named);
  using channel = new GrpcChannel(adminEndpoint(paths));
  const allowed = await channel.unary(allowVerbs, { host, user, verbs }, { deadlineMs: DEADLINE_MS, signal });
  if (flags.output === 'json') {
    stdout.write(`${jsonText({ schema: 'fleet.allowed/v1', host, user: user || null, verbs: allowed.verbs })}\n`);
    return EXIT.done;
  }
  const what = allowed.verbs.length === 0 ? 'nothing' : allowed.verbs.join(' ');
  const whose = user === '' ? `callers on ${host}` : `callers of ${user} on ${host}`;
  stdout.write(`${whose} may do elsewhere: ${what}\n`);
  return EXIT.done;
};

const hostAndUser = (named: string): { host: string; user: string } => {
  const [host = '', user = '', ...more] = named.split('/');
  if (host !== '' && more.length === 0 && (user !== '' || !named.includes('/'))) return { host, user };
  throw new UsageError(`"${named}": HOST, or HOST/USER`);
};
