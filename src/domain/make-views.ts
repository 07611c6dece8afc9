/**
 * Rows and host-agents made ready to be read at one moment: stamps become ages by the reporting host's own clock; no clock
 * of ours is compared with one of theirs.
 */
import { encodePart, formatAddress } from './address.ts';
import type { AgentRow, HeartbeatFacts, LastExit, TmuxFacts, UnitFacts } from './agent-row.ts';
import type {
  AgentView,
  BehindView,
  HeartbeatView,
  HostAgentView,
  LastExitView,
  LinkView,
  TmuxView,
  UnitView,
} from './agent-view.ts';
import type { HostAgent } from './host-agent.ts';
import type { Behind } from './intent.ts';
import { isCurrent } from './link.ts';

/** Whole seconds, rounded down, so that no age is ever overstated; a stamp of the future is age 0. */
export const ageSeconds = (referenceMs: number | null, stampMs: number | null): number | null =>
  referenceMs === null || stampMs === null ? null : wholeSeconds(referenceMs - stampMs);

const wholeSeconds = (ms: number): number => Math.max(0, Math.floor(ms / 1000));

/** Beyond this a Date is invalid (ECMA-262, time values); a host may say anything. */
const MAX_DATE_MS = 8.64e15;

const isoTime = (ms: number | null): string | null =>
  ms === null || !(Math.abs(ms) <= MAX_DATE_MS) ? null : new Date(ms).toISOString();

/**
 * The host's own wall clock now, as far as it is known: its last word, running on only while its link is connected.
 * `elapsedMs` is the time since the HostAgent was said.
 */
const hostNowMs = (host: HostAgent, elapsedMs: number): number | null => {
  if (host.facts === null) return null;
  return host.link.state === 'connected' ? host.facts.hostNowMs + host.heardAgeMs + elapsedMs : host.facts.hostNowMs;
};

const linkView = (host: HostAgent, elapsedMs: number): LinkView => ({
  state: host.link.state,
  reason: host.link.reason,
  age_seconds: wholeSeconds(host.link.ageMs + elapsedMs),
});

const behindView = ({ state, reason, ageMs, expiresInMs }: Behind, elapsedMs: number): BehindView => ({
  state,
  reason: reason === '' ? null : reason,
  age_seconds: wholeSeconds(ageMs + elapsedMs),
  expires_in_seconds: expiresInMs === null ? null : wholeSeconds(expiresInMs - elapsedMs),
});

/** What all rows of one host-agent share, computed once for each picture. */
export interface HostMoment {
  host: HostAgent;
  referenceMs: number | null;
  link: LinkView;
  current: boolean;
  observedAgeSeconds: number;
  behind: BehindView | null;
}

export const hostMoment = (host: HostAgent, elapsedMs: number): HostMoment => ({
  host,
  referenceMs: hostNowMs(host, elapsedMs),
  link: linkView(host, elapsedMs),
  current: isCurrent(host.link.state, host.heardAgeMs + elapsedMs),
  observedAgeSeconds: wholeSeconds(host.heardAgeMs + elapsedMs),
  behind: host.behind && behindView(host.behind, elapsedMs),
});

export const agentView = (row: AgentRow, moment: HostMoment): AgentView => {
  const { cell, host, user, tenantId } = moment.host;
  const now = moment.referenceMs;
  return {
    address: formatAddress({ cell, host, user, agent: row.agent }),
    cell,
    host,
    user,
    tenant_id: tenantId,
    agent: encodePart(row.agent),
    managed: row.managed,
    source: row.source,
    role: row.role,
    runtime: row.runtime,
    model: row.model,
    effort: row.effort,
    lifecycle: row.lifecycle,
    runtime_seen: row.runtimeSeen,
    model_seen: row.modelSeen,
    unit: row.unit && unitView(row.unit),
    tmux: row.tmux && tmuxView(row.tmux),
    heartbeat: heartbeatView(row.heartbeat, now),
    idle_seconds: ageSeconds(now, row.lastOutputMs),
    uptime_seconds: ageSeconds(now, row.startedMs),
    state_since_seconds: ageSeconds(now, row.stateSinceMs),
    last_exit: row.lastExit && lastExitView(row.lastExit),
    rss_bytes: row.rssBytes === null ? null : Math.round(row.rssBytes),
    cpu_percent: row.cpuPercent === null ? null : Math.round(row.cpuPercent * 10) / 10,
    watchers: row.watchers,
    writer: row.writer,
    readiness: row.readiness,
    reason: row.reason,
    reason_code: row.reasonCode,
    attention: row.attention && {
      id: row.attention.id,
      need: row.attention.need,
      since_seconds: ageSeconds(now, row.attention.sinceMs),
      rule: row.attention.rule,
      summary: row.attention.summary,
    },
    flags: row.flags,
    link: moment.link,
    current: moment.current,
    observed_age_seconds: moment.observedAgeSeconds,
  };
};

const unitView = (unit: UnitFacts): UnitView => ({
  name: unit.name,
  active_state: unit.activeState,
  sub_state: unit.subState,
  unit_file_state: unit.unitFileState,
  result: unit.result,
  main_pid: unit.mainPid,
  restarts: unit.restarts,
  since: isoTime(unit.sinceMs),
});

const tmuxView = (tmux: TmuxFacts): TmuxView => ({
  socket: tmux.socket,
  session: tmux.session,
  session_id: tmux.sessionId,
  group: tmux.group,
  group_members: tmux.groupMembers,
  pane_id: tmux.paneId,
  pid: tmux.pid,
  command: tmux.command,
  title: tmux.title,
  cwd: tmux.cwd,
  dead: tmux.dead,
  exit_status: tmux.exitStatus,
  signal: tmux.signal,
  width: tmux.width,
  height: tmux.height,
  alternate_screen: tmux.alternateScreen,
  attached: tmux.attached,
});

const heartbeatView = (heartbeat: HeartbeatFacts, now: number | null): HeartbeatView => ({
  state: heartbeat.state,
  age_seconds: ageSeconds(now, heartbeat.tsMs),
  status: heartbeat.status,
  pid: heartbeat.pid,
  source: heartbeat.source,
});

const lastExitView = (exit: LastExit): LastExitView => ({
  status: exit.status,
  signal: exit.signal,
  at: isoTime(exit.atMs),
});

/** Skew is rounded to the nearest second and may be negative; so may be the time left of a certificate. */
export const hostAgentView = (moment: HostMoment): HostAgentView => {
  const { host, referenceMs } = moment;
  const notAfterMs = host.facts?.certificateNotAfterMs ?? null;
  return {
    cell: host.cell,
    host: host.host,
    user: host.user,
    tenant_id: host.tenantId,
    here: host.here,
    link: moment.link,
    current: moment.current,
    observed_age_seconds: moment.observedAgeSeconds,
    version: host.facts?.version || null,
    build: host.facts?.build || null,
    agents: host.facts?.agents ?? null,
    needs: host.facts?.needs ?? null,
    via: host.facts?.via ?? null,
    clock_skew_seconds: host.clockSkewMs === null ? null : Math.round(host.clockSkewMs / 1000) + 0,
    control: host.facts?.control || null,
    certificate_expires_in_seconds:
      notAfterMs === null || referenceMs === null
        ? null
        : // The authority's clock judges a certificate, so the host's skew is taken out again.
          Math.floor((notAfterMs - referenceMs + (host.clockSkewMs ?? 0)) / 1000),
    machine_id: host.facts?.machineId || null,
    warnings: host.facts?.warnings ?? [],
    quarantined: host.quarantined ?? false,
    behind: moment.behind,
  };
};
