/** A roster with entries of another one added as they stand there: of agents that could not be ended. */
import { parseRoster } from '../parse.ts';
import { RosterText } from '../roster-text.ts';
import type { NewEntry } from './changes.ts';
import { editRoster } from './edit-roster.ts';

/** `indices` are positions in `from`. Throws FAILED_PRECONDITION where `text` cannot say them. */
export const keptEntries = (text: string, from: RosterText, indices: readonly number[]): string => {
  const { agents } = from.read.value as { agents: NewEntry[] };
  const layouts = parseRoster(from, '').roster?.agents.map(({ layout }) => layout) ?? [];
  const source = new RosterText(text);
  const isVersion2 = parseRoster(source, '').roster?.version === 2;
  const add = indices.map((index) => {
    const entry = agents[index] as NewEntry;
    return isVersion2 ? { ...entry, layout: entry.layout ?? (layouts[index] as string) } : entry;
  });
  return editRoster(source, { add });
};
