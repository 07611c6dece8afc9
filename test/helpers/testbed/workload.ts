/**
 * What must survive every fault: the tmux servers of a host and the programs in their panes. Read from the host's /proc
 * from outside, so that looking needs nothing of the host, not even a program that still runs.
 */
import { allStats } from './processes.ts';

export interface WorkloadProcess {
  kind: 'tmux server' | 'pane';
  pid: number;
  /** Tells a later process of the same pid apart. */
  startTicks: number;
  comm: string;
}

/** By the host's own pids, in their order. `leader`: the host's first process as this machine numbers it. */
export const readWorkload = (leader: number): WorkloadProcess[] => {
  const stats = allStats(`/proc/${leader}/root/proc`).filter((stat) => stat.state !== 'Z');
  const servers = new Set(stats.filter((stat) => stat.comm === 'tmux: server').map((stat) => stat.pid));
  return stats
    .filter((stat) => servers.has(stat.pid) || servers.has(stat.ppid))
    .map(({ pid, startTicks, comm }): WorkloadProcess => {
      return { kind: servers.has(pid) ? 'tmux server' : 'pane', pid, startTicks, comm };
    })
    .sort((a, b) => a.pid - b.pid);
};
