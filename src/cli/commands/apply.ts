import { cleanText } from '../../domain/clean-text.ts';
import type { HeldPlace } from '../../domain/desired-plan.ts';
import { placeAgents } from '../../domain/placement.ts';
import { rosterPartOf } from '../../roster/edit/roster-part.ts';
import type { CommandContext } from '../command.ts';
import { runChange } from '../desired/change-run.ts';
import { errandsOf } from '../desired/errands.ts';
import type { HeldRoster } from '../desired/held-rosters.ts';
import { migrateAgents } from '../desired/migrate.ts';
import { leftOut } from '../desired/plan-lines.ts';
import { type Survey, survey } from '../desired/survey.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const { flags, stderr } = context;
  if (flags.migrate !== undefined) return await migrateAgents(context);
  const surveyed = await survey(context);
  const { desired, mirror, plan, scope, notes, isCurrent, age } = surveyed;
  for (const note of notes) stderr.write(`${cleanText(note)}\n`);
  const errands = errandsOf(surveyed, {
    force: flags.force === true,
    migrate: false,
    textFor: (_, place, held) => textFor(surveyed, place, held),
  });
  const counted = leftOut(scope.passedOver);
  return await runChange(context, { cell: mirror.cell, roster: desired.path, plan, errands, isCurrent, age, counted });
};

/** A place gets its part; the roster in force here is there already. */
const textFor = ({ desired, scope, places }: Survey, place: HeldPlace, held: HeldRoster): string | null => {
  if (desired.isOwn && place.here) return null;
  const agents = placeAgents(scope.wanted, places).agents.get(place.id) ?? [];
  return rosterPartOf(desired, agents, held.text);
};
