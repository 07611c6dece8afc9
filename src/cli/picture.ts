/** A mirror at one moment, put in the order in which people read it: what every output shows. Pure. */
import { type AgentFilter, isFiltering, matchesAgent, matchesCell, matchesHost } from '../domain/agent-filter.ts';
import type { AgentView, HostAgentView } from '../domain/agent-view.ts';
import { type ListedAgent, type ListedRow, listedAgent } from '../domain/listed-agent.ts';
import { agentView, type HostMoment, hostAgentView } from '../domain/make-views.ts';
import type { Caller, PeerStanding, Upstream } from '../wire/gen/fleet/v1/view.ts';
import type { MirroredRow } from './client/mirrored-row.ts';
import type { ViewMirror } from './client/view-mirror.ts';

export interface HostGroup {
  id: string;
  host: HostAgentView;
  /** `host`, or `host/user` where a host has several host-agents; of another cell with the cell before it. */
  label: string;
  /** Its cell, where the view has more than one. */
  origin: string | null;
  /** Its machine is the one that answers. */
  isHere: boolean;
  /** What is shown of it, made anew by each call: thousands of rows are never held as objects all at once. */
  agents(): AgentView[];
  /** The same, as far as a list tells of them. */
  listed(): ListedAgent[];
  /** How many those are, and how many of them need a person now. */
  readonly shown: number;
  readonly needing: number;
}

export interface Picture {
  cell: string;
  caller: Caller | null;
  upstream: Upstream | null;
  /** Cells in scope beside this one. */
  peers: readonly PeerStanding[];
  /** Every host-agent and peer in scope is connected and fresh, and the controller was asked where there is one. */
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
  compare: ((a: ListedAgent, b: ListedAgent) => number) | null;
}

export const takePicture = (mirror: ViewMirror, nowMono: number, options: PictureOptions): Picture => {
  const { filter, localOnly } = options;
  const home = mirror.cell;
  const moments = [...mirror.hostAgentIds()].map((id) => mirror.momentOf(id, nowMono) as HostMoment);
  const here = moments.find(({ host }) => host.here)?.host;
  moments.sort(byPlace(home, here));
  const perHost = Map.groupBy(moments, ({ host }) => machineOf(host));
  const upstream = mirror.upstreamAt(nowMono);
  const peers = localOnly ? [] : (upstream?.peers ?? []).filter(({ cell }) => matchesCell(filter, cell));
  const isAlone = moments.every(({ host }) => host.cell === home);
  let inScope = 0;
  const groups: HostGroup[] = [];
  for (const moment of moments) {
    const { host } = moment;
    if (!matchesHost(filter, { cell: host.cell, host: host.host, tenant_id: host.tenantId })) continue;
    inScope += mirror.rowCountOf(host.id);
    groups.push(
      new Group(moment, {
        label: labelOf(host, home, (perHost.get(machineOf(host))?.length ?? 0) > 1),
        origin: isAlone ? null : host.cell,
        isHere: isBeside(host, here),
        agents: () => chosen(mirror.rowsOf(host.id), ({ row }) => row, agentView, moment, options),
        listed: () => chosen(mirror.rowsOf(host.id), ({ listed }) => listed, listedAgent, moment, options),
      }),
    );
  }
  return {
    cell: home,
    caller: mirror.caller,
    upstream,
    peers,
    complete: isComplete(
      groups.map(({ host }) => host),
      upstream,
      localOnly,
      peers,
    ),
    localOnly,
    filtered: isFiltering(filter),
    groups,
    inScope,
  };
};

type Machine = Pick<HostMoment['host'], 'id' | 'cell' | 'host'>;

/** Two cells may have a host of the same name. */
const machineOf = ({ cell, host }: Machine): string => `${cell}\n${host}`;

/** The id of a host-agent of another cell begins with it. */
const labelOf = ({ id, cell, host }: Machine, home: string, isShared: boolean): string => {
  if (isShared) return id;
  return cell === home ? host : `${cell}/${host}`;
};

class Group implements HostGroup {
  readonly id: string;
  readonly host: HostAgentView;
  readonly label: string;
  readonly origin: string | null;
  readonly isHere: boolean;
  readonly agents: () => AgentView[];
  readonly #listed: () => ListedAgent[];
  #tally: { shown: number; needing: number } | null = null;

  constructor(moment: HostMoment, group: Pick<HostGroup, 'label' | 'origin' | 'isHere' | 'agents' | 'listed'>) {
    this.id = moment.host.id;
    this.host = hostAgentView(moment);
    this.label = group.label;
    this.origin = group.origin;
    this.isHere = group.isHere;
    this.agents = group.agents;
    this.#listed = group.listed;
  }

  listed(): ListedAgent[] {
    const agents = this.#listed();
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
    if (!this.#tally) this.listed();
    return this.#tally ?? { shown: 0, needing: 0 };
  }
}

const needsSomebody = (agent: ListedAgent): boolean => agent.current && agent.attention !== null;

const isBeside = (one: Machine, here: Machine | undefined): boolean =>
  here !== undefined && machineOf(one) === machineOf(here);

/** This host-agent first, then those of the same machine, then those of this cell by name, then those of others. */
const byPlace =
  (home: string, here: Machine | undefined) =>
  (a: HostMoment, b: HostMoment): number =>
    Number(b.host.here) - Number(a.host.here) ||
    Number(isBeside(b.host, here)) - Number(isBeside(a.host, here)) ||
    Number(b.host.cell === home) - Number(a.host.cell === home) ||
    compareText(a.host.cell, b.host.cell) ||
    compareText(a.host.host, b.host.host) ||
    compareText(a.host.user, b.host.user);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What is shown of these rows, in its order. */
const chosen = <Row extends ListedRow, Agent extends ListedAgent>(
  held: Iterable<MirroredRow>,
  read: (held: MirroredRow) => Row,
  view: (row: Row, moment: HostMoment) => Agent,
  moment: HostMoment,
  { filter, compare }: PictureOptions,
): Agent[] => {
  const agents = [];
  for (const row of Array.from(held, read).sort(byOrder)) {
    const agent = view(row, moment);
    if (matchesAgent(filter, agent)) agents.push(agent);
  }
  return compare ? agents.sort(compare) : agents;
};

/** Roster order, then unmanaged ones by name; the key last, so that no two rows ever change places. */
const byOrder = (a: ListedRow, b: ListedRow): number =>
  Number(b.managed) - Number(a.managed) ||
  a.order - b.order ||
  compareText(a.agent, b.agent) ||
  compareText(a.key, b.key);

export const isComplete = (
  inScope: readonly { current: boolean }[],
  upstream: Upstream | null,
  localOnly: boolean,
  peers: readonly PeerStanding[] = upstream?.peers ?? [],
): boolean => inScope.every((host) => host.current) && (localOnly || (isAnswered(upstream) && peers.every(isWhole)));

/** The controller should have been asked and could not be: what is not here may be elsewhere. */
export const isCutOff = ({ localOnly, upstream }: Pick<Picture, 'localOnly' | 'upstream'>): boolean =>
  !localOnly && (upstream?.state === 'unreachable' || upstream?.state === 'refused');

/** What a peer takes back is not missing. */
export const isWhole = ({ state, reason }: PeerStanding): boolean =>
  state === 'revoked' || (state === 'connected' && !reason);

/** Closed set of the wire: none, connected, unreachable, refused, self. */
const isAnswered = (upstream: Upstream | null): boolean =>
  upstream === null || upstream.state === 'none' || upstream.state === 'connected' || upstream.state === 'self';
