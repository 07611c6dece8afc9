/** What a list tells of each agent, a part of what is known of it: enough to choose, to order and to fill a line. */
import { encodePart, formatHostAddress } from './address.ts';
import type { AgentRow, TmuxFacts, UnitFacts } from './agent-row.ts';
import type { AgentView, TmuxView, UnitView } from './agent-view.ts';
import { ageSeconds, type HostMoment } from './make-views.ts';

type Listed =
  | 'key'
  | 'agent'
  | 'managed'
  | 'role'
  | 'runtime'
  | 'runtimeSeen'
  | 'lastOutputMs'
  | 'startedMs'
  | 'stateSinceMs'
  | 'rssBytes'
  | 'cpuPercent'
  | 'readiness'
  | 'reason'
  | 'flags'
  | 'order';

export interface ListedRow extends Pick<AgentRow, Listed> {
  unit: Pick<UnitFacts, 'restarts'> | null;
  tmux: Pick<TmuxFacts, 'command' | 'cwd'> | null;
  heartbeat: Pick<AgentRow['heartbeat'], 'state' | 'tsMs'>;
  attention: object | null;
}

type Shown =
  | 'cell'
  | 'host'
  | 'user'
  | 'tenant_id'
  | 'agent'
  | 'role'
  | 'runtime'
  | 'runtime_seen'
  | 'idle_seconds'
  | 'uptime_seconds'
  | 'state_since_seconds'
  | 'rss_bytes'
  | 'cpu_percent'
  | 'readiness'
  | 'reason'
  | 'flags'
  | 'current';

export interface ListedAgent extends Pick<AgentView, Shown> {
  unit: Pick<UnitView, 'restarts'> | null;
  tmux: Pick<TmuxView, 'command' | 'cwd'> | null;
  heartbeat: Pick<AgentView['heartbeat'], 'state' | 'age_seconds'>;
  attention: object | null;
}

/** As `agentView` tells it. */
export const listedAgent = (row: ListedRow, { host, referenceMs, current }: HostMoment): ListedAgent => ({
  cell: host.cell,
  host: host.host,
  user: host.user,
  tenant_id: host.tenantId,
  agent: encodePart(row.agent),
  role: row.role,
  runtime: row.runtime,
  runtime_seen: row.runtimeSeen,
  unit: row.unit,
  tmux: row.tmux,
  heartbeat: { state: row.heartbeat.state, age_seconds: ageSeconds(referenceMs, row.heartbeat.tsMs) },
  idle_seconds: ageSeconds(referenceMs, row.lastOutputMs),
  uptime_seconds: ageSeconds(referenceMs, row.startedMs),
  state_since_seconds: ageSeconds(referenceMs, row.stateSinceMs),
  rss_bytes: row.rssBytes === null ? null : Math.round(row.rssBytes),
  cpu_percent: row.cpuPercent === null ? null : Math.round(row.cpuPercent * 10) / 10,
  readiness: row.readiness,
  reason: row.reason,
  attention: row.attention,
  flags: row.flags,
  current,
});

export const addressOf = (agent: ListedAgent): string => `${formatHostAddress(agent)}/${agent.agent}`;
