/** An ended run of an agent for people and for programs. Pure. */
import type { EndedRun } from '../../wire/gen/fleet/v1/terminal.ts';
import { fine } from '../render/duration.ts';
import { isoTime } from '../render/iso-time.ts';

const CAUSES: Readonly<Record<string, string>> = {
  ended: 'by itself',
  stopped: 'its unit was stopped',
  killed: 'its tmux server was gone before',
};
const SECOND_MS = 1_000;

/** `run 1 of 3: ran 2h05m, ended 2026-11-28T16:40:51Z, exit 1, by itself`. */
export const endedWords = (back: number, run: EndedRun): string => {
  const parts = [
    `ran ${fine(Math.max(0, Math.floor((run.endedMs - run.startedMs) / SECOND_MS)))}`,
    `ended ${isoTime(run.endedMs) ?? 'at an unknown time'}`,
    run.signal !== undefined
      ? `signal ${run.signal}`
      : run.status === undefined
        ? 'exit unknown'
        : `exit ${run.status}`,
    CAUSES[run.cause] ?? run.cause,
    ...(run.hasLines ? [] : ['its lines were not kept']),
  ];
  return `run ${back} of ${run.kept}: ${parts.join(', ')}`;
};

/** Null where unknown. */
export const runObject = (back: number, run: EndedRun): Record<string, unknown> => ({
  run: back,
  kept: run.kept,
  started: isoTime(run.startedMs),
  ended: isoTime(run.endedMs),
  status: run.status ?? null,
  signal: run.signal ?? null,
  cause: run.cause,
  has_lines: run.hasLines,
});
