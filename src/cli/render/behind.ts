/** What a host-agent was not told yet, in words: how old it is, how it stands, and for how long it still does. */
import type { BehindView } from '../../domain/agent-view.ts';
import { coarse, fine } from './duration.ts';

/** `roster of 5m ago waits, 23h55m left`, `roster of 1d ago expired`. */
export const behindWords = ({ state, age_seconds, expires_in_seconds }: BehindView): string => {
  const left = expires_in_seconds === null ? '' : `, ${fine(expires_in_seconds)} left`;
  const stands: Record<string, string> = { waiting: `waits${left}`, running: `is under way${left}` };
  return `roster of ${coarse(age_seconds)} ago ${stands[state] ?? state}`;
};

/** The same, with why it ended. */
export const behindInFull = (behind: BehindView): string =>
  behindWords(behind) + (behind.reason === null ? '' : `: ${behind.reason}`);
