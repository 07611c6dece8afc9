import { adminEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import { acceptPeer } from '../client/peer-methods.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { peerObject } from '../peers/peer-object.ts';
import { readInvitation } from '../read-invitation.ts';
import { jsonText } from '../render/json.ts';

/** The other controller is dialled meanwhile, at each of its addresses. */
const DEADLINE_MS = 60_000;

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, paths, stdout, stderr, signal } = context;
  const [given = '-'] = positionals;
  const token = given === '-' ? await readInvitation(context) : given;
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
