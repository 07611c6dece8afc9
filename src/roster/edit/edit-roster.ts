/**
 * Comes in: the text of a good roster, and what is to be changed. Goes out: the text with that changed and everything else
 * as it was: comments, order, style. What is written is read again before it leaves; nothing else is ever given out.
 */
import { isDeepStrictEqual } from 'node:util';
import { FleetError } from '../../domain/errors.ts';
import { RosterText } from '../roster-text.ts';
import { changedDocument } from './changed-document.ts';
import { changedJson } from './changed-json.ts';
import { changedLines } from './changed-lines.ts';
import { changeRoster, type RosterChanges, type Values } from './changes.ts';

/** The least disturbing first. Each gives null, or a wrong text, where the roster is written in a way it does not know. */
const WAYS = [changedJson, changedLines, changedDocument] as const;

/**
 * `likely` is a text that may well come of it and has been read before. Throws FAILED_PRECONDITION where no way of writing has the
 * changes and leaves the rest.
 */
export const editRoster = (
  written: string | RosterText,
  changes: RosterChanges,
  likely: RosterText | null = null,
): string => {
  const source = typeof written === 'string' ? new RosterText(written) : written;
  const wanted = source.values();
  const asked = withoutNobody(wanted, changes);
  changeRoster(wanted, asked);
  for (const way of WAYS) {
    const after = attempt(() => way(source, asked));
    if (after === null) continue;
    const reread = after === likely?.text ? likely : new RosterText(after);
    if (isDeepStrictEqual(reread.values(), wanted)) return after;
  }
  throw new FleetError(
    'FAILED_PRECONDITION',
    'this roster is written in a way that only a person can change: open it in an editor',
  );
};

/** Version 1 needs an agent, version 2 does not. */
const withoutNobody = (roster: Values, changes: RosterChanges): RosterChanges => {
  const { agents = [], version } = roster as { agents?: unknown[]; version?: unknown };
  const left = agents.length - (changes.remove?.size ?? 0) + (changes.add?.length ?? 0);
  return left === 0 && version !== 2 ? { ...changes, version2: true } : changes;
};

/** The library may refuse what it is asked to write. */
const attempt = (write: () => string | null): string | null => {
  try {
    return write();
  } catch {
    return null;
  }
};
