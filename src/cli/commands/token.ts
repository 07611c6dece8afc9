import { userInfo } from 'node:os';
import { createToken } from '../client/admin-methods.ts';
import { adminEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonText } from '../render/json.ts';
import { UsageError } from '../usage-error.ts';

const DEADLINE_MS = 5_000;
const MAX_SECONDS = 15 * 60;

export const run = async ({ positionals, flags, paths, stdout, stderr, signal }: CommandContext): Promise<number> => {
  const [host = ''] = positionals;
  if (flags.user === undefined) refuseVerb(host);
  const user = (flags.user as string | undefined) ?? userInfo().username;
  const request = {
    host,
    user,
    tenantId: (flags.tenant as string | undefined) ?? '',
    validSeconds: secondsOf(flags.ttl as string),
    replace: flags.replace === true,
  };
  using channel = new GrpcChannel(adminEndpoint(paths));
  const { token, expiresMs } = await channel.unary(createToken, request, { deadlineMs: DEADLINE_MS, signal });
  const expires = new Date(expiresMs).toISOString();
  if (flags.output === 'json') {
    stdout.write(`${jsonText({ schema: 'fleet.token/v1', host, user, token, expires })}\n`);
    return EXIT.done;
  }
  stdout.write(`${token}\n`);
  stderr.write(`for ${user} on ${host}, once, until ${expires}; there, as ${user}: fleet host join < TOKEN\n`);
  return EXIT.done;
};

/** What people type instead of the verbs beside this one. Each could be a host, for which this would make a secret. */
const MEANT = new Map([
  ...['list', 'show'].map((word) => [word, 'fleet token ls'] as const),
  ...['revoke', 'remove', 'delete', 'withdraw'].map((word) => [word, 'fleet token rm'] as const),
  ['help', 'fleet token --help'],
]);

const refuseVerb = (host: string): void => {
  const meant = MEANT.get(host.toLowerCase());
  if (meant === undefined) return;
  throw new UsageError(`did you mean ${meant}? For a host named ${host}: fleet token ${host} --user USER`);
};

/** `90s`, `15m`; a bare number is seconds. */
const secondsOf = (text: string): number => {
  const match = /^(\d{1,6})(s|m|)$/.exec(text);
  const seconds = match ? Number(match[1]) * (match[2] === 'm' ? 60 : 1) : 0;
  if (seconds < 1 || seconds > MAX_SECONDS) throw new UsageError(`--ttl "${text}": 1s to 15m, as 90s or 10m`);
  return seconds;
};
