/** What starting and stopping agents needs of its neighbours: systemd, tmux, the rows, and each agent's own turn. */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { UnitNow } from '../../src/domain/unit-now.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { TmuxServer } from '../inventory/source.ts';

export interface SessionPlace {
  socket: string;
  serverPid: number;
  sessionId: string;
}

export interface LifecyclePorts {
  /** The row of the last look. */
  rows: { row(key: string): AgentRow | undefined; all(): readonly AgentRow[] };
  units: {
    read(name: string): Promise<UnitNow>;
    /** systemd's word for how the job ended; null: the signal aborted, and it goes on. */
    run(verb: 'start' | 'stop', name: string, signal: AbortSignal): Promise<string | null>;
  };
  /** Why there is no user manager to ask; null where there is one. */
  unitsProblem(): string | null;
  sessions: {
    isThere(place: SessionPlace, signal: AbortSignal): Promise<boolean>;
    kill(place: SessionPlace, signal: AbortSignal): Promise<void>;
  };
  servers(): readonly TmuxServer[];
  /** Changes whenever a pid is another process; null: there is none. */
  startOf(pid: number): string | null;
  isHolder(session: string): boolean;
  unitOf(agent: string): string;
  /** One at a time for each agent of this user, across its host-agents. Rejects when the signal aborts before its turn. */
  turn(agent: string, signal: AbortSignal): Promise<Disposable>;
  clock: Clock;
}
