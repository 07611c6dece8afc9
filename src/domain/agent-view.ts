/** Rows and host-agents as people and programs read them: snake_case, every field always there, null where unknown. */
export interface LinkView {
  state: string;
  reason: string | null;
  age_seconds: number;
}

export interface AgentView {
  address: string;
  cell: string;
  host: string;
  user: string;
  tenant_id: string;
  /** Percent-encoded, as in the address; the session's raw name stands in `tmux`. */
  agent: string;
  managed: boolean;
  source: string;
  role: string | null;
  runtime: string | null;
  model: string | null;
  effort: string | null;
  lifecycle: string | null;
  runtime_seen: string | null;
  model_seen: string | null;
  unit: UnitView | null;
  tmux: TmuxView | null;
  heartbeat: HeartbeatView;
  idle_seconds: number | null;
  uptime_seconds: number | null;
  state_since_seconds: number | null;
  last_exit: LastExitView | null;
  rss_bytes: number | null;
  cpu_percent: number | null;
  watchers: number;
  writer: string | null;
  readiness: string;
  reason: string | null;
  reason_code: string | null;
  attention: AttentionView | null;
  flags: string[];
  link: LinkView;
  current: boolean;
  observed_age_seconds: number;
}

export interface UnitView {
  name: string;
  active_state: string;
  sub_state: string;
  unit_file_state: string | null;
  result: string | null;
  main_pid: number | null;
  restarts: number | null;
  /** Last change of state, the host's wall clock, ISO 8601. */
  since: string | null;
}

export interface TmuxView {
  socket: string;
  session: string;
  session_id: string;
  group: string | null;
  group_members: string[];
  pane_id: string | null;
  pid: number | null;
  command: string | null;
  title: string | null;
  cwd: string | null;
  dead: boolean | null;
  exit_status: number | null;
  signal: string | null;
  width: number | null;
  height: number | null;
  alternate_screen: boolean | null;
  attached: number | null;
}

export interface HeartbeatView {
  state: string;
  age_seconds: number | null;
  status: string | null;
  pid: number | null;
  source: string | null;
}

export interface LastExitView {
  status: number | null;
  signal: string | null;
  /** The host's wall clock, ISO 8601. */
  at: string | null;
}

export interface AttentionView {
  id: string;
  need: string;
  since_seconds: number | null;
  rule: string;
  summary: string;
}

/** What a host-agent was not told yet. */
export interface BehindView {
  state: string;
  /** Why it ended; null where it did not, or where that says all. */
  reason: string | null;
  age_seconds: number;
  /** null when it is over. */
  expires_in_seconds: number | null;
}

export interface HostAgentView {
  cell: string;
  host: string;
  user: string;
  tenant_id: string;
  here: boolean;
  link: LinkView;
  current: boolean;
  observed_age_seconds: number;
  /** These are null until the host-agent has spoken once, and where a peer does not tell them. */
  version: string | null;
  /** `<version>-<digest>`; null too where it does not say. */
  build: string | null;
  agents: number | null;
  needs: number | null;
  via: string | null;
  clock_skew_seconds: number | null;
  control: string | null;
  certificate_expires_in_seconds: number | null;
  machine_id: string | null;
  warnings: string[];
  /** It may report and nothing else: it asks nothing, and takes no orders. */
  quarantined: boolean;
  /** null: it was told all that it should have been. */
  behind: BehindView | null;
}
