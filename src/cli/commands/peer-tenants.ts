import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import type { Peer } from '../../wire/gen/fleet/v1/peers.ts';
import { askAdmin } from '../client/ask-admin.ts';
import { listPeers, setPeerTenants } from '../client/peer-methods.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { peerObject } from '../peers/peer-object.ts';
import { jsonText } from '../render/json.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, stdout } = context;
  const [cell = '', ...words] = positionals;
  const tenants = words.flatMap((word) => word.split(',')).filter((word) => word !== '');
  const peer =
    tenants.length === 0
      ? await present(context, cell)
      : (await askAdmin(context, setPeerTenants, { cell, tenants })).peer;
  if (peer === undefined) throw new FleetError('INTERNAL', `the controller says nothing of ${cell}`);
  if (flags.output === 'json') {
    stdout.write(`${jsonText({ schema: 'fleet.peer/v1', peer: peerObject(peer, Date.now()) })}\n`);
  } else stdout.write(`${cleanText(`what ${peer.cell} grants shows to ${peer.tenants.join(', ')}`)}\n`);
  return EXIT.done;
};

const present = async (context: CommandContext, cell: string): Promise<Peer> => {
  const { peers } = await askAdmin(context, listPeers, {});
  const peer = peers.find((each) => each.cell === cell && each.state !== 'revoked');
  if (peer !== undefined) return peer;
  throw new FleetError('NOT_FOUND', `no peer ${JSON.stringify(cell.slice(0, 64))}: see "fleet peer ls"`);
};
