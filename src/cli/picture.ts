/** A mirror at one moment, put in the order in which people read it: what every output shows. Pure. */
import { type AgentFilter, isFiltering, matchesAgent, matchesHost } from '../domain/agent-filter.ts';
import type { AgentRow } from '../domain/agent-row.ts';
import { type AgentView, agentView, type HostAgentView, type HostMoment, hostAgentView } from '../domain/agent-view.ts';
import type { Caller, Upstream } from '../wire/gen/fleet/v1/view.ts';
import type { ViewMirror } from './client/view-mirror.ts';

export interface HostGroup {
  id: string;
  host: HostAgentView;
  /** `host`, or `host/user` where a host has several host-agents. */
  label: string;
  /** Its machine is the one that answers. */
  isHere: boolean;
  /** What is shown of it, made anew by each call: thousands of rows are never held as objects all at once. */
  agents(): AgentView[];
  /** How many those are, and how many of them need a person now. */
  readonly shown: number;
  readonly needing: number;
}

export interface Picture {
  cell: string;
  caller: Caller | null;
  upstream: Upstream | null;
  /** Every host-agent in scope is connected and fresh, and the controller was asked where there is one. */
  complete: boolean;
  /** Only this machine was asked for. */
  localOnly: boolean;
  filtered: boolean;
  groups: HostGroup[];
  /** Agents of the hosts in scope, shown or not. */
  inScope: number;
}

export interface PictureOptions {
  filter: AgentFilter;
  localOnly: boolean;
  compare: ((a: AgentView, b: AgentView) => number) | null;
}

export const takePicture = (mirror: ViewMirror, nowMono: number, options: PictureOptions): Picture => {
  const { filter, localOnly, compare } = options;
  const moments = [...mirror.hostAgentIds()].map((id) => mirror.momentOf(id, nowMono) as HostMoment);
  const hereHost = moments.find(({ host }) => host.here)?.host.host;
  moments.sort(byPlace(hereHost));
  const perHost = Map.groupBy(moments, ({ host }) => host.host);
  let inScope = 0;
  const groups: HostGroup[] = [];
  for (const moment of moments) {
    const { host } = moment;
    if (!matchesHost(filter, { host: host.host, tenant_id: host.tenantId })) continue;
    inScope += mirror.rowCountOf(host.id);
    groups.push(
      new Group(moment, {
        label: (perHost.get(host.host)?.length ?? 0) > 1 ? host.id : host.host,
        isHere: host.host === hereHost,
        agents: () => agentsOf(mirror, moment, filter, compare),
      }),
    );
  }
  const upstream = mirror.upstreamAt(nowMono);
  return {
    cell: mirror.cell,
    caller: mirror.caller,
    upstream,
    complete: isComplete(
      groups.map(({ host }) => host),
      upstream,
      localOnly,
    ),
    localOnly,
    filtered: isFiltering(filter),
    groups,
    inScope,
  };
};

class Group implements HostGroup {
  readonly id: string;
  readonly host: HostAgentView;
  readonly label: string;
  readonly isHere: boolean;
  readonly #agents: () => AgentView[];
  #tally: { shown: number; needing: number } | null = null;

  constructor(moment: HostMoment, group: Pick<HostGroup, 'label' | 'isHere' | 'agents'>) {
    this.id = moment.host.id;
    this.host = hostAgentView(moment);
    this.label = group.label;
    this.isHere = group.isHere;
    this.#agents = group.agents;
  }

  agents(): AgentView[] {
    const agents = this.#agents();
    this.#tally ??= { shown: agents.length, needing: agents.filter(needsSomebody).length };
    return agents;
  }

  get shown(): number {
    return this.#counts().shown;
  }

  get needing(): number {
    return this.#counts().needing;
  }

  #counts(): { shown: number; needing: number } {
    if (!this.#tally) this.agents();
    return this.#tally ?? { shown: 0, needing: 0 };
  }
}

const needsSomebody = (agent: AgentView): boolean => agent.current && agent.attention !== null;

/** This host-agent first, then those of the same machine, then by name. */
const byPlace =
  (hereHost: string | undefined) =>
  (a: HostMoment, b: HostMoment): number =>
    Number(b.host.here) - Number(a.host.here) ||
    Number(b.host.host === hereHost) - Number(a.host.host === hereHost) ||
    compareText(a.host.host, b.host.host) ||
    compareText(a.host.user, b.host.user);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const agentsOf = (
  mirror: ViewMirror,
  moment: HostMoment,
  filter: AgentFilter,
  compare: PictureOptions['compare'],
): AgentView[] => {
  const rows = Array.from(mirror.rowsOf(moment.host.id), ({ row }) => row).sort(byOrder);
  const agents = [];
  for (const row of rows) {
    const agent = agentView(row, moment);
    if (matchesAgent(filter, agent)) agents.push(agent);
  }
  return compare ? agents.sort(compare) : agents;
};

/** Roster order, then unmanaged ones by name; the key last, so that no two rows ever change places. */
const byOrder = (a: AgentRow, b: AgentRow): number =>
  Number(b.managed) - Number(a.managed) ||
  a.order - b.order ||
  compareText(a.agent, b.agent) ||
  compareText(a.key, b.key);

export const isComplete = (
  inScope: readonly { current: boolean }[],
  upstream: Upstream | null,
  localOnly: boolean,
): boolean => inScope.every((host) => host.current) && (localOnly || isAnswered(upstream));

/** Closed set of the wire: none, connected, unreachable, refused, self. */
const isAnswered = (upstream: Upstream | null): boolean =>
  upstream === null || upstream.state === 'none' || upstream.state === 'connected' || upstream.state === 'self';
