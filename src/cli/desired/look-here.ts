import type { AgentRow } from '../../domain/agent-row.ts';
import { FleetError } from '../../domain/errors.ts';
import { systemClock } from '../../runtime/clock.ts';
import { takeSnapshot } from '../client/snapshot.ts';
import type { CommandContext } from '../command.ts';

export interface Here {
  host: string;
  /** What its policy lets callers do. */
  control: string | null;
  rows: AgentRow[];
}

/** What this user's host-agent knows of this machine; null where none answers. */
export const lookHere = async ({ paths, signal }: Pick<CommandContext, 'paths' | 'signal'>): Promise<Here | null> => {
  try {
    const mirror = await takeSnapshot(paths, { localOnly: true, hostsOnly: false, clock: systemClock, signal });
    const now = systemClock.monotonicMs();
    for (const id of mirror.hostAgentIds()) {
      const host = mirror.momentOf(id, now)?.host;
      if (!host?.here) continue;
      const rows = Array.from(mirror.rowsOf(id), ({ row }) => row);
      return { host: host.host, control: host.facts?.control ?? null, rows };
    }
    return null;
  } catch (error) {
    if (error instanceof FleetError && error.code === 'UNAVAILABLE' && !signal.aborted) return null;
    throw error;
  }
};
