/** Comes in: a path, or none for this user's own roster. Goes out: what that roster wants. Never writes. */
import { resolve } from 'node:path';
import type { Roster } from '../../domain/roster.ts';
import { parseRoster } from '../../roster/parse.ts';
import { findRoster, readRosterFile } from '../../roster/roster-file.ts';
import { RosterText } from '../../roster/roster-text.ts';
import { UsageError } from '../usage-error.ts';

export interface Desired {
  path: string;
  text: RosterText;
  roster: Roster;
  /** It is the file that the host-agent here goes by. */
  isOwn: boolean;
  /** What else a person should know of it. */
  notes: string[];
}

/** Throws UsageError that says where and why: `file:line:column: words`. */
export const readDesired = async (given: string | undefined, mosaicHome: string): Promise<Desired> => {
  const own = await findRoster(mosaicHome);
  const isOwn = given === undefined || resolve(given) === own.path;
  const path = given ?? own.path;
  const file = isOwn ? own.file : await readRosterFile(path);
  if (file.kind === 'missing')
    throw new UsageError(
      given === undefined
        ? `no roster at ${path}: fleet init writes a first one, -f FILE names another`
        : `${path}: no such file`,
    );
  if (file.kind === 'unreadable') throw new UsageError(`${path}: ${file.words}`);
  const text = new RosterText(file.text);
  const { roster, problem } = parseRoster(text, path);
  if (roster === null) throw new UsageError(problem);
  const notes = isOwn && own.passedOver !== null ? [`${own.passedOver} is not read: ${path} stands beside it`] : [];
  return { path, text, roster, isOwn, notes };
};
