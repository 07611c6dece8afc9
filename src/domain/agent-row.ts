/**
 * One AI agent as its own host describes it: the row that travels. Times are that host's wall clock in
 * milliseconds; the link over which a row came stands beside it (host-agent.ts), never in it.
 */

export const READINESS = ['working', 'available', 'stuck', 'stale', 'dead', 'unknown'] as const;
export type Readiness = (typeof READINESS)[number];

export const FLAGS = [
  'DRIFT',
  'BOOT-ENABLE',
  'LINGER-OFF',
  'UNMANAGED',
  'MISSING',
  'STALE-UNIT',
  'MODEL-DRIFT',
  'FOREIGN-HEARTBEAT',
  'VERSION-SKEW',
  'UNPROTECTED',
  'ORPHAN-VIEWER',
  'CRASH-LOOP',
] as const;
export type Flag = (typeof FLAGS)[number];

export const REASON_CODES = ['trust_prompt', 'login', 'approval', 'question', 'limit', 'other'] as const;
export type ReasonCode = (typeof REASON_CODES)[number];

export const NEEDS = ['approval', 'question', 'login', 'trust', 'failed', 'dead', 'other'] as const;
export type Need = (typeof NEEDS)[number];

export type Lifecycle = 'core' | 'ephemeral';

/** A value of a closed set, or what a newer version said that this one does not know; shown as it is. */
export type Open<T extends string> = T | (string & {});

/** A systemd user unit as systemd describes it; `sinceMs` is the last state change. */
export interface UnitFacts {
  name: string;
  activeState: string;
  subState: string;
  unitFileState: string | null;
  result: string | null;
  mainPid: number | null;
  restarts: number | null;
  sinceMs: number | null;
}

/** The session's own pane and its session; `attached` leaves our own clients out. */
export interface TmuxFacts {
  socket: string;
  session: string;
  sessionId: string;
  group: string | null;
  groupMembers: string[];
  paneId: string | null;
  pid: number | null;
  command: string | null;
  title: string | null;
  cwd: string | null;
  dead: boolean | null;
  exitStatus: number | null;
  signal: string | null;
  width: number | null;
  height: number | null;
  alternateScreen: boolean | null;
  attached: number | null;
}

export interface HeartbeatFacts {
  state: Open<'healthy' | 'stale' | 'missing' | 'invalid'>;
  tsMs: number | null;
  status: string | null;
  pid: number | null;
  source: Open<'native' | 'sidecar'> | null;
}

export interface LastExit {
  status: number | null;
  signal: string | null;
  atMs: number | null;
}

export interface Attention {
  id: string;
  need: Open<Need>;
  sinceMs: number | null;
  rule: string;
  summary: string;
}

export interface AgentRow {
  /** Roster name, or socket path + server pid + server start + session id. Never shown as a name. */
  key: string;
  /** The address part: roster name, session name, or `socket:session`; raw, not percent-encoded. */
  agent: string;
  managed: boolean;
  source: Open<'roster' | 'socket'>;
  role: string | null;
  runtime: string | null;
  model: string | null;
  effort: string | null;
  lifecycle: Open<Lifecycle> | null;
  runtimeSeen: string | null;
  modelSeen: string | null;
  unit: UnitFacts | null;
  tmux: TmuxFacts | null;
  heartbeat: HeartbeatFacts;
  lastOutputMs: number | null;
  startedMs: number | null;
  stateSinceMs: number | null;
  lastExit: LastExit | null;
  rssBytes: number | null;
  cpuPercent: number | null;
  watchers: number;
  writer: string | null;
  readiness: Open<Readiness>;
  reason: string | null;
  reasonCode: Open<ReasonCode> | null;
  attention: Attention | null;
  flags: Open<Flag>[];
  /** Roster order; unmanaged rows follow all managed ones. */
  order: number;
}
