import { FleetError } from '../../domain/errors.ts';
import { placeNamed } from '../../domain/placement.ts';
import { editRoster } from '../../roster/edit/edit-roster.ts';
import { HOST } from '../../roster/parse.ts';
import { systemClock } from '../../runtime/clock.ts';
import { takeSnapshot } from '../client/snapshot.ts';
import type { CommandContext } from '../command.ts';
import { runChange } from '../desired/change-run.ts';
import { entryOfFlags } from '../desired/entry-words.ts';
import { placesOf } from '../desired/held-places.ts';
import { changeTo, entryOf, type InHand, takeInHand } from '../desired/in-hand.ts';
import { UsageError } from '../usage-error.ts';

/** A place's first roster, before its first agent. */
const FIRST = 'version: 2\nagents: []\n';

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, stderr } = context;
  const name = positionals[0] as string;
  const hand = await placeInHand(context, flags.host as string | undefined);
  const { held, place } = hand;
  if (entryOf(hand, name) !== null)
    throw new FleetError(
      'ALREADY_EXISTS',
      `${held.path} of ${place.id} names "${name}" already: fleet edit changes it`,
    );
  const entry = entryOfFlags(name, flags, held.text === null ? 2 : (held.version ?? 2));
  const text = editRoster(held.text?.text ?? FIRST, { add: [entry] });
  const change = changeTo(hand, text, name, { force: flags.force === true, launches: flags['no-start'] !== true });
  const code = await runChange(context, change);
  if (flags['no-start'] && flags.output === 'table' && code === 0)
    stderr.write(`not started: fleet apply${place.here ? '' : ` --host ${place.host}`} does what is left\n`);
  return code;
};

const placeInHand = async (context: CommandContext, named: string | undefined): Promise<InHand> => {
  const { paths, signal } = context;
  const match = named === undefined ? [] : HOST.exec(named);
  if (match === null) throw new UsageError(`--host "${named}": HOST, or USER@HOST`);
  const [, user = null, host = null] = match;
  const localOnly = named === undefined;
  const mirror = await takeSnapshot(paths, { localOnly, hostsOnly: false, clock: systemClock, signal });
  const now = systemClock.monotonicMs();
  const found = placeNamed({ host, user }, placesOf(mirror, now));
  if (typeof found === 'string') throw new FleetError('NOT_FOUND', found);
  return await takeInHand(context, mirror, now, found.id);
};
