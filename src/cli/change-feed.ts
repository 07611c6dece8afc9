/**
 * A live view as lines of JSON: whole rows when they change, removals, links. A slow reader gets each row once, as
 * it is when its turn comes. Ages alone are no change.
 */
import { matchesAgent, matchesCell, matchesHost } from '../domain/agent-filter.ts';
import type { AgentView, HostAgentView } from '../domain/agent-view.ts';
import { hostAgentId } from '../domain/host-agent.ts';
import { agentView, type HostMoment, hostAgentView } from '../domain/make-views.ts';
import type { LiveView } from './client/live-view.ts';
import { isComplete, type PictureOptions } from './picture.ts';
import { jsonText } from './render/json.ts';

interface SentAgent {
  hostAgent: string;
  address: string;
  key: string;
}

export class ChangeFeed {
  readonly #live: LiveView;
  readonly #options: PictureOptions;
  readonly #agents = new Map<string, SentAgent>();
  readonly #hosts = new Map<string, { host: HostAgentView; words: string }>();
  #view = '';
  #stream = '';

  constructor(live: LiveView, options: PictureOptions) {
    this.#live = live;
    this.#options = options;
  }

  /** Everything that is new since the last call. */
  *lines(nowMono: number): Generator<string> {
    const { mirror } = this.#live;
    yield* this.#streamLine();
    yield* this.#viewLine(nowMono);
    const dirty = mirror.takeChanges().rows;
    for (const id of new Set([...this.#hosts.keys(), ...mirror.hostAgentIds()]))
      yield* this.#hostLine(id, nowMono, dirty);
    for (const [id, { hostAgent, key }] of dirty) yield* this.#agentLine(id, hostAgent, key, nowMono);
  }

  *#streamLine(): Generator<string> {
    const { connection } = this.#live;
    if (connection.state === 'opening') return;
    const line = jsonText({
      event: 'stream',
      state: connection.state,
      reason: connection.state === 'broken' ? connection.reason : null,
    });
    if (line === this.#stream) return;
    this.#stream = line;
    yield line;
  }

  *#viewLine(nowMono: number): Generator<string> {
    const { mirror } = this.#live;
    const upstream = mirror.upstreamAt(nowMono);
    const { filter, localOnly } = this.#options;
    const inScope = [...mirror.hostAgentIds()]
      .map((id) => mirror.momentOf(id, nowMono) as HostMoment)
      .filter(({ host }) => matchesHost(filter, { cell: host.cell, host: host.host, tenant_id: host.tenantId }));
    const peers = localOnly ? [] : (upstream?.peers ?? []).filter(({ cell }) => matchesCell(filter, cell));
    const line = jsonText({
      schema: 'fleet.changes/v1',
      event: 'view',
      cell: mirror.cell,
      complete: isComplete(inScope, upstream, localOnly, peers),
      controller: upstream && { state: upstream.state, address: upstream.address, reason: upstream.reason ?? null },
      peers: peers.map(({ cell, state, reason }) => ({ cell, state, reason: reason ?? null })),
    });
    if (line === this.#view) return;
    this.#view = line;
    yield line;
  }

  *#hostLine(id: string, nowMono: number, dirty: Map<string, { hostAgent: string; key: string }>): Generator<string> {
    const { mirror } = this.#live;
    const moment = mirror.momentOf(id, nowMono);
    const before = this.#hosts.get(id);
    const host = moment && hostAgentView(moment);
    if (!host || !matchesHost(this.#options.filter, host)) {
      if (!before) return;
      this.#hosts.delete(id);
      const { cell, host: name, user } = before.host;
      yield jsonText({ event: 'host_agent_removed', cell, host: name, user });
      return;
    }
    const words = wordsOf(host);
    if (before?.words === words) return;
    this.#hosts.set(id, { host, words });
    yield jsonText({ event: 'host_agent', host_agent: host });
    if (before && sharedByRows(before.host) === sharedByRows(host)) return;
    for (const { key } of mirror.rowsOf(id)) dirty.set(`${id}\n${key}`, { hostAgent: id, key });
  }

  *#agentLine(id: string, hostAgent: string, key: string, nowMono: number): Generator<string> {
    const { mirror } = this.#live;
    const held = mirror.row(hostAgent, key);
    const moment = mirror.momentOf(hostAgent, nowMono);
    const agent: AgentView | null = held && moment ? agentView(held.row, moment) : null;
    const sent = this.#agents.get(id);
    if (agent && matchesAgent(this.#options.filter, agent)) {
      if (sent && sent.address !== agent.address) yield removal(sent.address, true);
      this.#agents.set(id, { hostAgent, address: agent.address, key });
      yield jsonText({ event: 'agent', agent });
    } else if (sent) {
      this.#agents.delete(id);
      yield removal(sent.address, agent === null);
    }
  }
}

/** `gone`: the agent has left; false: it is there, but no longer what was asked for. A rename removes the old address. */
const removal = (address: string, gone: boolean): string => jsonText({ event: 'agent_removed', address, gone });

/** All of a host-agent but its ages and what drifts by itself. */
const wordsOf = (host: HostAgentView): string =>
  JSON.stringify({
    ...host,
    link: { ...host.link, age_seconds: 0 },
    observed_age_seconds: 0,
    certificate_expires_in_seconds: 0,
    clock_skew_seconds: 0,
    behind: host.behind && { ...host.behind, age_seconds: 0, expires_in_seconds: 0 },
  });

const sharedByRows = (host: HostAgentView): string =>
  [host.cell, hostAgentId(host.host, host.user), host.tenant_id, host.link.state, host.link.reason, host.current].join(
    '\n',
  );
