/** Flags that the verbs about records share, read and checked. */
import type { CommandContext } from '../command.ts';
import { spanMs } from '../orders/time-span.ts';
import { UsageError } from '../usage-error.ts';

export type RecordForm = 'table' | 'json' | 'ndjson';

const LONGEST_AGO = { leastMs: 1_000, mostMs: 365 * 24 * 3_600_000 };

/** `--since 8h`; 0 where it is not given. */
export const sinceMsOf = ({ flags }: CommandContext): number =>
  flags.since === undefined ? 0 : spanMs('since', flags.since as string, LONGEST_AGO);

/** `-n`; null where it is not given. */
export const countOf = ({ flags }: CommandContext, most: number): number | null => {
  if (flags.lines === undefined) return null;
  const count = Number(flags.lines);
  if (/^\d+$/.test(flags.lines as string) && count >= 1 && count <= most) return count;
  throw new UsageError(`-n ${flags.lines}: a whole number from 1 to ${most}`);
};
