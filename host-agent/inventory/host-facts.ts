import type { AgentRow, Flag } from '../../src/domain/agent-row.ts';
import type { Readings } from './join.ts';

/** Flags that are the host's trouble as much as the agent's, in the order in which they are told. */
const TOLD: readonly Flag[] = ['BOOT-ENABLE', 'STALE-UNIT', 'UNPROTECTED', 'ORPHAN-VIEWER', 'CRASH-LOOP'];

/** What is wrong on this host, in a few words each; the same trouble of several agents once, with their number. */
export const hostWarnings = (
  rows: readonly AgentRow[],
  readings: Readings,
  problems: readonly (string | null)[],
): string[] => {
  const warnings: string[] = [];
  for (const flag of TOLD) {
    const count = rows.filter(({ flags }) => flags.includes(flag)).length;
    if (count > 0) warnings.push(`${count} ${flag}`);
  }
  if (readings.systemd.linger === false) warnings.push('LINGER-OFF');
  if (readings.roster.problem !== null) warnings.push(`roster: ${readings.roster.problem}`);
  for (const warning of readings.roster.warnings ?? []) warnings.push(`roster: ${warning}`);
  if (readings.heartbeats.problem !== null) warnings.push(`heartbeats: ${readings.heartbeats.problem}`);
  for (const { socket, problem } of readings.tmux.servers) if (problem) warnings.push(`${socket}: ${problem.words}`);
  for (const problem of problems) if (problem !== null) warnings.push(problem);
  return warnings.slice(0, 16).map((warning) => (warning.length > 200 ? `${warning.slice(0, 199)}…` : warning));
};

/** How many agents wait for a person. */
export const needsOf = (rows: readonly AgentRow[]): number => rows.filter(({ attention }) => attention !== null).length;
