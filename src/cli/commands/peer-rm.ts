import { FleetError } from '../../domain/errors.ts';
import type { Peer } from '../../wire/gen/fleet/v1/peers.ts';
import { adminEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import { listPeers, removePeer } from '../client/peer-methods.ts';
import type { CommandContext } from '../command.ts';
import { confirm } from '../confirm.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonText } from '../render/json.ts';
import { UsageError } from '../usage-error.ts';

const DEADLINE_MS = 5_000;

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, paths, signal } = context;
  const [cell = ''] = positionals;
  const any = flags.any === true;
  if (any === (cell !== '')) throw new UsageError('name either a CELL, or --any');
  using channel = new GrpcChannel(adminEndpoint(paths));
  const call = { deadlineMs: DEADLINE_MS, signal };
  const standing = (all: readonly Peer[]) => all.find((each) => each.cell === cell && each.state !== 'revoked');
  const { peers, invitations } = await channel.unary(listPeers, {}, call);
  const peer = standing(peers);
  if (!any && peer === undefined) {
    throw new FleetError('NOT_FOUND', `no peer ${JSON.stringify(cell.slice(0, 64))}: see "fleet peer ls"`);
  }
  if (any || peer?.state === 'invited') {
    const open = invitations.filter((each) => each.cell === cell).length;
    if (any && open === 0)
      throw new FleetError('NOT_FOUND', 'no invitation that any cell can use: see "fleet peer ls"');
    await confirm(context, `withdraw what can be used by ${any ? 'any cell' : cell} (${countWords(open)})?`);
  } else await confirm(context, `end being a peer of ${cell}, cut what is open, and revoke what is granted to it?`);
  // A person takes time to answer, and was asked about what was there before.
  if (peer?.state !== standing((await channel.unary(listPeers, {}, call)).peers)?.state) {
    throw new FleetError('ABORTED', `${cell} is not ${peer?.state} any more: nothing was changed, see "fleet peer ls"`);
  }
  const { peer: removed, withdrawn } = await channel.unary(removePeer, { cell, any }, call);
  tell(context, cell, removed === undefined ? withdrawn : null);
  return EXIT.done;
};

/** `withdrawn`: nobody was a peer yet, and so many invitations ended. */
const tell = ({ flags, stdout }: CommandContext, cell: string, withdrawn: number | null): void => {
  if (flags.output === 'json') {
    const outcome = withdrawn === null ? 'revoked' : 'withdrawn';
    stdout.write(`${jsonText({ schema: 'fleet.revoked/v1', cell: cell || null, outcome })}\n`);
  } else if (withdrawn === null) stdout.write(`${cell} is no peer any more; what it had open is cut\n`);
  else stdout.write(`${countWords(withdrawn)} for ${cell || 'any cell'} withdrawn\n`);
};

const countWords = (count: number): string => `${count} invitation${count === 1 ? '' : 's'}`;
