/** What of a roster for a whole fleet is for one (host, user): its entries, and all that holds for every agent. */
import type { Roster, RosterAgent } from '../../domain/roster.ts';
import type { RosterText } from '../roster-text.ts';
import { editRoster } from './edit-roster.ts';

/**
 * `kept` are agents of `roster`, which was read from `text`; comments of theirs stay. All of them: the text itself. `likely`
 * as for every edit.
 */
export const rosterPartOf = (
  { text, roster: { agents } }: { text: RosterText; roster: Roster },
  kept: readonly RosterAgent[],
  likely: RosterText | null = null,
): string => {
  const ours = new Set(kept);
  const remove = new Set(agents.flatMap((agent, index) => (ours.has(agent) ? [] : [index])));
  return remove.size > 0 ? editRoster(text, { remove }, likely) : text.text;
};
