/**
 * Comes in: a process that says it asks, and this host-agent's rows. Goes out: the agent in whose pane it runs.
 * Never more than a claim: within one uid a process may name another's pid, and nothing here pretends otherwise.
 */
import { basename } from 'node:path';
import type { AgentRow } from '../../src/domain/agent-row.ts';
import { OPERATOR_SESSION, UNPROVEN_SESSION } from '../../src/domain/sender.ts';

/** What the kernel says of one process; null when it is gone, or may not be read. */
export interface Lineage {
  of(pid: number): { parentPid: number; uid: number } | null;
  environment(pid: number, name: string): string | null;
}

/** Deeper trees are no shells in a pane. */
const MAX_DEPTH = 256;

/**
 * The agent's name, `operator`, or `unproven`: for a process that is gone or another user's, and for one that was
 * begun in an agent's pane and cut loose from it.
 */
export const sessionOf = (pid: number, uid: number, rows: readonly AgentRow[], lineage: Lineage): string => {
  const caller = lineage.of(pid);
  if (caller === null || caller.uid !== uid) return UNPROVEN_SESSION;
  const byPanePid = new Map(rows.flatMap((row) => (isLive(row) ? [[row.tmux.pid, row] as const] : [])));
  let child = pid;
  let parent = pid;
  for (let depth = 0; depth < MAX_DEPTH && parent > 1; depth += 1) {
    const row = byPanePid.get(parent);
    if (row) return senderName(row);
    const process = lineage.of(parent);
    if (process !== null) {
      child = parent;
      parent = process.parentPid;
      continue;
    }
    // It ended, and its child has another parent by now; or it is hidden from us, so no pane of this user.
    const adopted = lineage.of(child)?.parentPid ?? null;
    if (adopted === null) return UNPROVEN_SESSION;
    if (adopted === parent) break;
    parent = adopted;
  }
  return beganInPane(pid, rows, lineage) ? UNPROVEN_SESSION : OPERATOR_SESSION;
};

const isLive = (row: AgentRow): row is AgentRow & { tmux: { pid: number } } =>
  row.tmux?.pid != null && row.tmux.dead !== true;

/** A process whose parents have ended hangs below init; its environment still says where it was begun. */
const beganInPane = (pid: number, rows: readonly AgentRow[], lineage: Lineage): boolean => {
  const socket = lineage.environment(pid, 'TMUX')?.replace(/,\d+,\d+$/, '');
  const pane = lineage.environment(pid, 'TMUX_PANE');
  if (socket === undefined || pane === null) return false;
  return rows.some(({ tmux }) => tmux !== null && tmux.paneId === pane && tmux.socket === socket);
};

/** No agent is taken for a person because of its name. */
const senderName = ({ agent, tmux }: AgentRow): string =>
  agent === OPERATOR_SESSION || agent === UNPROVEN_SESSION ? `${basename(tmux?.socket ?? 'agent')}:${agent}` : agent;
