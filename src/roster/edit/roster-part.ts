/** What of a roster for a whole fleet is for one (host, user): its entries, and all that holds for every agent. */
import type { Roster, RosterAgent } from '../../domain/roster.ts';
import { editRoster } from './edit-roster.ts';
import type { RosterText } from './roster-text.ts';

/** `kept` are agents of `roster`, which was read from `text`; comments of theirs stay. All of them: the text itself. */
export const rosterPartOf = (
  written: string | RosterText,
  { agents }: Roster,
  kept: readonly RosterAgent[],
): string => {
  const ours = new Set(kept);
  const remove = new Set(agents.flatMap((agent, index) => (ours.has(agent) ? [] : [index])));
  if (remove.size > 0) return editRoster(written, { remove });
  return typeof written === 'string' ? written : written.text;
};
