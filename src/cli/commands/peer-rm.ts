import { FleetError } from '../../domain/errors.ts';
import { adminEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import { listPeers, removePeer } from '../client/peer-methods.ts';
import type { CommandContext } from '../command.ts';
import { confirm } from '../confirm.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonText } from '../render/json.ts';

const DEADLINE_MS = 5_000;

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, paths, stdout, signal } = context;
  const [cell = ''] = positionals;
  using channel = new GrpcChannel(adminEndpoint(paths));
  const { peers } = await channel.unary(listPeers, {}, { deadlineMs: DEADLINE_MS, signal });
  if (!peers.some((peer) => peer.cell === cell && peer.state !== 'revoked')) {
    throw new FleetError('NOT_FOUND', `no peer ${JSON.stringify(cell.slice(0, 64))}: see "fleet peer ls"`);
  }
  await confirm(context, `end being a peer of ${cell}, cut what is open, and revoke what is granted to it?`);
  await channel.unary(removePeer, { cell }, { deadlineMs: DEADLINE_MS, signal });
  if (flags.output === 'json') stdout.write(`${jsonText({ schema: 'fleet.revoked/v1', cell, outcome: 'revoked' })}\n`);
  else stdout.write(`${cell} is no peer any more; what it had open is cut\n`);
  return EXIT.done;
};
