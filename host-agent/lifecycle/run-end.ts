/** How the last run of an agent ended, from whoever saw it: its pane, the launcher's flight recorder, its preflight. */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { EndedRun, LifecyclePorts } from './ports.ts';

export interface RunEnd {
  status: number | null;
  signal: string | null;
}

/** Stamps of a shell may be whole seconds. */
const STAMP_MS = 1_000;

/** The run that began then; null where its end is not recorded, and never the one before. */
export const lastRunSince = async (ports: LifecyclePorts, agent: string, sinceMs: number): Promise<EndedRun | null> => {
  const run = await ports.launches.lastRun(agent);
  return run !== null && run.startedMs + STAMP_MS > sinceMs ? run : null;
};

/** null: nobody saw how it ended. */
export const runEnd = (row: AgentRow | undefined, run: EndedRun | null): RunEnd | null => {
  const seen = row?.tmux?.dead === true ? { status: row.tmux.exitStatus, signal: row.tmux.signal } : run;
  return seen === null || (seen.status === null && seen.signal === null) ? null : seen;
};

/** `exited 0`, `exited with status 3`, `was killed by SIGKILL`. */
export const endWords = ({ status, signal }: RunEnd): string => {
  if (signal !== null) return `was killed by ${signal}`;
  return status === 0 ? 'exited 0' : `exited with status ${status}`;
};

/** What the launcher has to say of a start that failed; nothing of a screen. */
export const launchWords = async (ports: LifecyclePorts, agent: string, sinceMs: number): Promise<string[]> => {
  const [hindrance, run] = await Promise.all([
    ports.launches.hindrance(agent, sinceMs),
    lastRunSince(ports, agent, sinceMs),
  ]);
  const end = runEnd(undefined, run);
  return [
    ...(hindrance === null ? [] : [`its preflight: ${hindrance}`]),
    ...(end === null ? [] : [`its program ${endWords(end)}`]),
  ];
};
