/** Which agents a person asked for, and in what order. Pure; works on views, so local and remote rows are alike. */
import type { ListedAgent } from './listed-agent.ts';

export interface AgentFilter {
  /** Empty lists ask for everything. */
  cells: readonly string[];
  hosts: readonly string[];
  tenants: readonly string[];
  states: readonly string[];
  /** All of these flags. */
  flags: readonly string[];
  needsMe: boolean;
  /** Let states, flags and needs match rows that are not current, too. */
  includeStale: boolean;
}

export const EVERYTHING: AgentFilter = {
  cells: [],
  hosts: [],
  tenants: [],
  states: [],
  flags: [],
  needsMe: false,
  includeStale: false,
};

/** What a row was last known to be is no answer to "which agent is … now", unless it is asked for. */
const asksForState = (filter: AgentFilter): boolean =>
  filter.states.length > 0 || filter.flags.length > 0 || filter.needsMe;

export const isFiltering = (filter: AgentFilter): boolean =>
  asksForState(filter) || filter.cells.length > 0 || filter.hosts.length > 0 || filter.tenants.length > 0;

export const matchesCell = ({ cells }: AgentFilter, cell: string): boolean =>
  cells.length === 0 || cells.includes(cell);

export const matchesHost = (filter: AgentFilter, host: { cell: string; host: string; tenant_id: string }): boolean =>
  matchesCell(filter, host.cell) &&
  (filter.hosts.length === 0 || filter.hosts.includes(host.host)) &&
  (filter.tenants.length === 0 || filter.tenants.includes(host.tenant_id));

export const matchesAgent = (filter: AgentFilter, agent: ListedAgent): boolean => {
  if (!matchesHost(filter, agent)) return false;
  if (!asksForState(filter)) return true;
  if (!agent.current && !filter.includeStale) return false;
  return (
    (filter.states.length === 0 || filter.states.includes(agent.readiness)) &&
    filter.flags.every((flag) => agent.flags.includes(flag)) &&
    (!filter.needsMe || agent.attention !== null)
  );
};

export const SORT_KEYS = ['roster', 'name', 'state', 'for', 'idle', 'up', 'rss', 'cpu', 'restarts'] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** States that a person should look at first. */
const STATE_ORDER = ['dead', 'stuck', 'stale', 'unknown', 'working', 'available'];

const descending =
  (value: (agent: ListedAgent) => number | null) =>
  (a: ListedAgent, b: ListedAgent): number =>
    (value(b) ?? Number.NEGATIVE_INFINITY) - (value(a) ?? Number.NEGATIVE_INFINITY) || 0;

const compareNames = (a: ListedAgent, b: ListedAgent): number => (a.agent < b.agent ? -1 : a.agent > b.agent ? 1 : 0);

const rankOf = (agent: ListedAgent): number => {
  const rank = STATE_ORDER.indexOf(agent.readiness);
  return rank < 0 ? STATE_ORDER.length : rank;
};

/** Order of rows within one host-agent; null keeps the order in which the rows stand. Unknown values come last. */
export const comparatorOf = (key: SortKey): ((a: ListedAgent, b: ListedAgent) => number) | null => {
  switch (key) {
    case 'roster':
      return null;
    case 'name':
      return compareNames;
    case 'state':
      return (a, b) => rankOf(a) - rankOf(b);
    case 'for':
      return descending((agent) => agent.state_since_seconds);
    case 'idle':
      return descending((agent) => agent.idle_seconds);
    case 'up':
      return descending((agent) => agent.uptime_seconds);
    case 'rss':
      return descending((agent) => agent.rss_bytes);
    case 'cpu':
      return descending((agent) => agent.cpu_percent);
    case 'restarts':
      return descending((agent) => agent.unit?.restarts ?? null);
  }
};
