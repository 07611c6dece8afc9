/** The end of a run that is over, for whoever asks after its agent: also where that has no session, and after a restart. */
import { FleetError } from '../../src/domain/errors.ts';
import type { TailTerminalResponse } from '../../src/wire/gen/fleet/v1/terminal.ts';
import type { AgentPanes, RunRecords } from './ports.ts';
import { plainText } from './tail-read.ts';

export type RunTail = Pick<TailTerminalResponse, 'lines' | 'run'>;

/** `back`: 1 is the last one. At most `count` lines. Rejects with NOT_FOUND where there is no such agent or run. */
export const runTail = async (
  panes: Pick<AgentPanes, 'row'>,
  records: RunRecords,
  { key, back, count }: { key: string; back: number; count: number },
): Promise<RunTail> => {
  const agent = panes.row(key)?.agent;
  if (agent === undefined) {
    throw new FleetError('NOT_FOUND', `no agent here has the key ${key}: it may have ended; fleet ps`);
  }
  const runs = await records(agent);
  const run = runs[back - 1];
  if (run === undefined) {
    const kept = runs.length === 0 ? 'no run of it that is over is' : `only ${runs.length} of its runs are`;
    throw new FleetError('NOT_FOUND', `${kept} kept here: fleet keeps the last ones of agents that it launched`);
  }
  const lines = await run.lines();
  const { startedMs, endedMs, status, signal, cause } = run;
  return {
    lines: (lines ?? []).slice(-count).map(plainText),
    run: {
      startedMs,
      endedMs,
      status: status ?? undefined,
      signal: signal ?? undefined,
      cause,
      kept: runs.length,
      hasLines: lines !== null,
    },
  };
};
