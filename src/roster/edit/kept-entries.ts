/** A roster with entries of another one added as they stand there: of agents that could not be ended. */
import { readDocument } from '../document.ts';
import { parseRoster } from '../parse.ts';
import type { NewEntry } from './changes.ts';
import { editRoster } from './edit-roster.ts';

/** `indices` are positions in `from`. Throws FAILED_PRECONDITION where `text` cannot say them. */
export const keptEntries = (text: string, from: string, indices: readonly number[]): string => {
  const { agents } = readDocument(from).value as { agents: NewEntry[] };
  const layouts = parseRoster(from, '').roster?.agents.map(({ layout }) => layout) ?? [];
  const isVersion2 = parseRoster(text, '').roster?.version === 2;
  const add = indices.map((index) => {
    const entry = agents[index] as NewEntry;
    return isVersion2 ? { ...entry, layout: entry.layout ?? (layouts[index] as string) } : entry;
  });
  return editRoster(text, { add });
};
