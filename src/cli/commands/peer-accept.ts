import { adminEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import { acceptPeer } from '../client/peer-methods.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { peerObject } from '../peers/peer-object.ts';
import { jsonText } from '../render/json.ts';
import { UsageError } from '../usage-error.ts';

/** The other controller is dialled meanwhile, at each of its addresses. */
const DEADLINE_MS = 60_000;
const MAX_TOKEN_CHARACTERS = 16_384;

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, paths, stdout, stderr, signal } = context;
  const [given = '-'] = positionals;
  const token = given === '-' ? await readAll(context) : given;
  const tenants = (flags.tenant as string[] | undefined) ?? [];
  using channel = new GrpcChannel(adminEndpoint(paths));
  const { peer } = await channel.unary(acceptPeer, { token, tenants }, { deadlineMs: DEADLINE_MS, signal });
  if (flags.output === 'json') {
    stdout.write(`${jsonText({ schema: 'fleet.peer/v1', peer: peer ? peerObject(peer, Date.now()) : null })}\n`);
    return EXIT.done;
  }
  const cell = peer?.cell ?? '';
  stdout.write(`${cell} is a peer, by ${peer?.fingerprints.join(' ')}\n`);
  stderr.write(
    `what it grants shows in fleet ps to ${peer?.tenants.join(', ')}; fleet grant add ${cell} … grants it\n`,
  );
  return EXIT.done;
};

const readAll = async ({ stdin, stderr }: CommandContext): Promise<string> => {
  if (stdin.isTTY) stderr.write('paste the invitation, then Enter and Ctrl-D:\n');
  let text = '';
  for await (const chunk of stdin.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_TOKEN_CHARACTERS) throw new UsageError('what came on stdin is no invitation: too long');
  }
  return text;
};
