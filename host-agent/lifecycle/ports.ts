/** What starting and stopping agents needs of its neighbours: systemd, tmux, the rows, the launcher's records, each turn. */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { UnitNow } from '../../src/domain/unit-now.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { OrderRun } from '../command/order-run.ts';
import type { ResetTry } from '../command/type-reset.ts';
import type { TmuxServer } from '../inventory/source.ts';

export interface SessionPlace {
  socket: string;
  serverPid: number;
  sessionId: string;
}

/** How a run of an agent ended, as its flight recorder wrote it. */
export interface EndedRun {
  startedMs: number;
  /** null: nobody saw it. */
  status: number | null;
  signal: string | null;
  /** By itself; because its unit was stopped; or its tmux server was gone before. */
  cause: 'ended' | 'stopped' | 'killed';
}

/** The session that keeps a shared tmux server alive, and its unit. */
export interface Holder {
  unit: string;
  socket: string;
  session: string;
}

export interface LifecyclePorts {
  /** The row of the last look. */
  rows: { row(key: string): AgentRow | undefined; all(): readonly AgentRow[] };
  units: {
    read(name: string): Promise<UnitNow>;
    /** systemd's word for how the job ended; null: the signal aborted, and it goes on. */
    run(verb: 'start' | 'stop' | 'restart', name: string, signal: AbortSignal): Promise<string | null>;
  };
  /** Why there is no user manager to ask; null where there is one. */
  unitsProblem(): string | null;
  sessions: {
    isThere(place: SessionPlace, signal: AbortSignal): Promise<boolean>;
    kill(place: SessionPlace, signal: AbortSignal): Promise<void>;
    panePid(place: SessionPlace & { paneId: string }, signal: AbortSignal): Promise<number | null>;
    respawn(place: SessionPlace & { paneId: string; panePid: number }, signal: AbortSignal): Promise<void>;
  };
  /** What the launcher keeps of an agent. */
  launches: {
    lastRun(agent: string): Promise<EndedRun | null>;
    /** What a preflight since then (wall clock) found wrong; null: nothing, or there was none. */
    hindrance(agent: string, sinceMs: number): Promise<string | null>;
  };
  /** Types the runtime's own reset command, and says whether that was proven. */
  reset(key: string, force: boolean, run: OrderRun): Promise<ResetTry>;
  servers(): readonly TmuxServer[];
  /** Changes whenever a pid is another process; null: there is none. */
  startOf(pid: number): string | null;
  isHolder(session: string): boolean;
  /** null: no roster says that there is one. */
  holder(): Holder | null;
  unitOf(agent: string): string;
  /**
   * One at a time for each unit, or row without one, of this user, across its host-agents. Rejects with PaneBusy when the
   * signal aborts before its turn; `who` is told to those who wait in vain.
   */
  turn(of: string, signal: AbortSignal, who: string): Promise<Disposable>;
  clock: Clock;
}
