/**
 * Comes in: the text of a good roster, and what is to be changed. Goes out: the text with that changed and everything else
 * as it was: comments, order, style. What is written is read again before it leaves; nothing else is ever given out.
 */
import { isDeepStrictEqual } from 'node:util';
import { FleetError } from '../../domain/errors.ts';
import { readDocument } from '../document.ts';
import { changedDocument } from './changed-document.ts';
import { changedJson } from './changed-json.ts';
import { changedLines } from './changed-lines.ts';
import { changeRoster, type RosterChanges, type Values } from './changes.ts';

/** The least disturbing first. Each gives null, or a wrong text, where the roster is written in a way it does not know. */
const WAYS = [changedJson, changedLines, changedDocument] as const;

/** Throws FAILED_PRECONDITION where no way of writing has the changes and leaves the rest. */
export const editRoster = (text: string, changes: RosterChanges): string => {
  const asked = withoutNobody(text, changes);
  const wanted = plainValues(text);
  changeRoster(wanted, asked);
  for (const way of WAYS) {
    const written = attempt(() => way(text, asked));
    if (written !== null && isDeepStrictEqual(plainValues(written), plain(wanted))) return written;
  }
  throw new FleetError(
    'FAILED_PRECONDITION',
    'this roster is written in a way that only a person can change: open it in an editor',
  );
};

/** Version 1 needs an agent, version 2 does not. */
const withoutNobody = (text: string, changes: RosterChanges): RosterChanges => {
  const { agents = [], version } = plainValues(text) as { agents?: unknown[]; version?: unknown };
  const left = agents.length - (changes.remove?.size ?? 0) + (changes.add?.length ?? 0);
  return left === 0 && version !== 2 ? { ...changes, version2: true } : changes;
};

const plainValues = (text: string): Values => plain(readDocument(text).value ?? {}) as Values;

/** Without keys that say nothing, and without the reader's own prototypes. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** The library may refuse what it is asked to write. */
const attempt = (write: () => string | null): string | null => {
  try {
    return write();
  } catch {
    return null;
  }
};
