/**
 * The inventory's ports: what each source of facts hands over. A source only says "look now";
 * truth is always the fresh list that `current()` returns. A missed event costs at most one tick.
 */
import type { UnitFacts } from '../../src/domain/agent-row.ts';
import type { HeartbeatSeen } from '../../src/domain/heartbeat.ts';
import type { SeenProcess } from '../../src/domain/process-tree.ts';
import type { RunEnd } from '../../src/domain/readiness.ts';
import type { Roster } from '../../src/domain/roster.ts';

export interface Source<T> {
  /** Begins to look; resolves after the first look, whatever it found. Ends when the signal aborts. */
  start(signal: AbortSignal): Promise<void>;
  /** The newest complete reading; cheap, never null. */
  current(): T;
  /** Called after each change of `current()`. Dispose to stop. */
  onChange(listener: () => void): Disposable;
}

export interface TmuxSession {
  /** `$3`; used again after a server restart. */
  id: string;
  name: string;
  group: string | null;
  createdMs: number;
  activityMs: number | null;
  /** Attached clients other than our own. */
  attached: number;
  /** Panes of all its windows, in window and pane order. */
  paneIds: string[];
}

export interface TmuxPane {
  /** `%7`. */
  id: string;
  pid: number;
  tty: string | null;
  command: string;
  title: string;
  cwd: string;
  dead: boolean;
  exitStatus: number | null;
  signal: string | null;
  width: number;
  height: number;
  alternateScreen: boolean;
  /** Last output, tmux's clock (the host's), whole seconds. */
  activityMs: number | null;
  /** Active pane of the current window. */
  active: boolean;
  inMode: boolean;
}

export interface TmuxServer {
  /** Path of the listening socket. */
  socket: string;
  pid: number | null;
  /** Clock ticks from boot to the start of the server process: tells a new server on an old socket apart. */
  startTicks: number | null;
  version: string | null;
  /** Set when the server could not be asked: its sessions are then the last ones known, and must be shown as unknown. */
  problem: TmuxProblem | null;
  /** Why its list is polled rather than followed by a control client, if it is. */
  polled: string | null;
  sessions: TmuxSession[];
  panes: Map<string, TmuxPane>;
}

export interface TmuxProblem {
  code: 'unsafe_socket' | 'refused' | 'timeout' | 'unsupported' | 'failed';
  words: string;
}

/** Servers that are gone are not listed; a known-empty machine is an empty array. */
export interface TmuxReading {
  servers: TmuxServer[];
}

export interface UnitReading extends UnitFacts {
  /** The file on disk is newer than what systemd loaded (NeedDaemonReload). */
  needsReload: boolean;
  fragmentPath: string | null;
}

export interface SystemdReading {
  /** Why there is no user manager to ask; null when it answers. */
  problem: string | null;
  units: Map<string, UnitReading>;
  /** null: could not be told. */
  linger: boolean | null;
  /** logind ends what a login leaves behind; null: could not be told. */
  killUserProcesses: boolean | null;
}

/** What a user's systemd manager says of itself. */
export interface ManagerFacts {
  version: string;
  /** Folders from which it reads units, the strongest first. */
  unitPath: string[];
  /** Units of our own daemons. */
  daemons: UnitReading[];
}

export interface HeartbeatsReading {
  /** Why the folder cannot be read; null also when it does not exist. */
  problem: string | null;
  byAgent: Map<string, HeartbeatSeen>;
}

export interface RosterReading {
  path: string;
  /** null: no roster file. The last good one while the file cannot be read as a roster; null if there was none. */
  roster: Roster | null;
  /** Where and why the file is no roster now (`file:line:column: …`); the rows then stand as last read. */
  problem: string | null;
  /** What did not keep the roster from being read: unreadable env files, a second roster beside the first. */
  warnings?: string[];
  /** Values of `agents/<agent>.env`, by agent; hand edits show here. */
  env: Map<string, Map<string, string>>;
}

/** What the launcher left of one agent, for when its tmux server cannot be asked any more. */
export interface LaunchReading {
  /** Its newest ended run; null where none was recorded. */
  lastRun: RunEnd | null;
  /** Why its newest start was refused; null where it was not. */
  refused: { words: string; atMs: number } | null;
}

export interface LaunchesReading {
  byAgent: Map<string, LaunchReading>;
}

export interface Process extends SeenProcess {
  startedMs: number;
  rssBytes: number;
  /** User and system time, in clock ticks. */
  cpuTicks: number;
}

/** A pane's process and all its descendants, root first. */
export interface ProcessTree {
  processes: Process[];
}

export interface ProcessTable {
  /** Reads these trees afresh from /proc; a pid that is gone is left out. Never throws. */
  trees(rootPids: readonly number[]): Map<number, ProcessTree>;
  isAlive(pid: number): boolean;
  /** One variable of a process of ours, as it was at its exec; null where it is not set or may not be read. */
  environment(pid: number, name: string): string | null;
  /** cgroup path of a process as systemd's hierarchy names it, or null. */
  cgroup(pid: number): string | null;
}
