/**
 * The client's copy of a view, from the frames of WatchAgents. A new snapshot replaces the old one only when its
 * bookmark has come: until then the old rows stand. Rows are decoded when somebody looks at them.
 */
import type { AgentRow } from '../../domain/agent-row.ts';
import type { HostAgent } from '../../domain/host-agent.ts';
import { FRESH_MS } from '../../domain/link.ts';
import { type HostMoment, hostMoment } from '../../domain/make-views.ts';
import { decodeAgentRow } from '../../wire/agent-row.ts';
import type { Caller, Changes, Heard, Upstream, WatchAgentsResponse } from '../../wire/gen/fleet/v1/view.ts';
import { hostAgentFromWire } from '../../wire/host-agent.ts';

/** A row as it came; decoded at its first use, and kept so where it will be looked at again. */
class MirroredRow {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly #keeps: boolean;
  #row: AgentRow | null = null;

  constructor(key: string, bytes: Uint8Array, keeps: boolean) {
    this.key = key;
    this.bytes = bytes;
    this.#keeps = keeps;
  }

  get row(): AgentRow {
    if (this.#row) return this.#row;
    const row = decodedOrUnreadable(this.key, this.bytes);
    if (this.#keeps) this.#row = row;
    return row;
  }
}

interface HeldHostAgent {
  agent: HostAgent;
  /** When `agent` was said, by our monotonic clock. */
  saidAtMono: number;
}

interface Held {
  hostAgents: Map<string, HeldHostAgent>;
  rows: Map<string, Map<string, MirroredRow>>;
}

/** What differs since the last look, each key once; what is no longer held has left. */
export interface MirrorChanges {
  hostAgents: Set<string>;
  rows: Map<string, { hostAgent: string; key: string }>;
}

const nothingHeld = (): Held => ({ hostAgents: new Map(), rows: new Map() });
const nothingChanged = (): MirrorChanges => ({ hostAgents: new Set(), rows: new Map() });

export class ViewMirror {
  cell = '';
  caller: Caller | null = null;
  /** For the next opening: what this copy knows. */
  resumeToken = '';
  /** A bookmark has come: the copy is a whole. */
  isWhole = false;
  #upstream: { said: Upstream; saidAtMono: number } | null = null;
  #lastFrameMono = 0;
  #shown = nothingHeld();
  #incoming: Held | null = null;
  #changes = nothingChanged();
  readonly #follows: boolean;

  /** One that does not follow is looked at once: it remembers neither what changed nor what it decoded. */
  constructor(options: { follows: boolean } = { follows: true }) {
    this.#follows = options.follows;
  }

  /** Returns true for a bookmark. */
  apply(frame: WatchAgentsResponse, nowMono: number): boolean {
    this.#lastFrameMono = nowMono;
    if (frame.opened) {
      this.cell = frame.opened.cell;
      this.caller = frame.opened.caller ?? null;
      this.#incoming = frame.opened.resumed ? null : nothingHeld();
    }
    if (frame.changes) this.#applyChanges(frame.changes, nowMono);
    if (frame.heard) this.#applyHeard(frame.heard, nowMono);
    const upstream = frame.bookmark?.upstream ?? frame.heard?.upstream;
    if (upstream) this.#upstream = { said: upstream, saidAtMono: nowMono };
    if (!frame.bookmark) return false;
    this.resumeToken = frame.bookmark.resumeToken;
    this.isWhole = true;
    this.#endSnapshot();
    return true;
  }

  hostAgentIds(): Iterable<string> {
    return this.#shown.hostAgents.keys();
  }

  rowsOf(hostAgent: string): Iterable<MirroredRow> {
    return this.#shown.rows.get(hostAgent)?.values() ?? [];
  }

  rowCountOf(hostAgent: string): number {
    return this.#shown.rows.get(hostAgent)?.size ?? 0;
  }

  row(hostAgent: string, key: string): MirroredRow | undefined {
    return this.#shown.rows.get(hostAgent)?.get(key);
  }

  /** How the answering daemon stands with its controller, aged to now. */
  upstreamAt(nowMono: number): Upstream | null {
    if (!this.#upstream) return null;
    const { said, saidAtMono } = this.#upstream;
    return { ...said, ageMs: said.ageMs + nowMono - saidAtMono };
  }

  /** Since the answering daemon said anything. */
  silentMs(nowMono: number): number {
    return nowMono - this.#lastFrameMono;
  }

  /** A host-agent as it stands now. When the daemon that tells of it has fallen silent, nothing is confirmed. */
  momentOf(hostAgent: string, nowMono: number): HostMoment | undefined {
    const held = this.#shown.hostAgents.get(hostAgent);
    if (!held) return undefined;
    const silentMs = this.silentMs(nowMono);
    if (silentMs <= FRESH_MS || held.agent.link.state !== 'connected') {
      return hostMoment(held.agent, nowMono - held.saidAtMono);
    }
    const sinceSaidMs = nowMono - held.saidAtMono;
    const link = { state: 'unconfirmed', reason: 'silent', ageMs: silentMs - sinceSaidMs };
    return hostMoment({ ...held.agent, link }, sinceSaidMs);
  }

  takeChanges(): MirrorChanges {
    const changes = this.#changes;
    this.#changes = nothingChanged();
    return changes;
  }

  #applyChanges(changes: Changes, nowMono: number): void {
    const held = this.#incoming ?? this.#shown;
    for (const message of changes.hostAgents) {
      held.hostAgents.set(message.id, { agent: hostAgentFromWire(message), saidAtMono: nowMono });
      this.#mark(message.id);
    }
    for (const { hostAgent, key, row } of changes.agents) {
      const rows = held.rows.get(hostAgent) ?? new Map<string, MirroredRow>();
      held.rows.set(hostAgent, rows);
      rows.set(key, new MirroredRow(key, row, this.#follows));
      this.#mark(hostAgent, key);
    }
    for (const { hostAgent, key } of changes.removedAgents) {
      held.rows.get(hostAgent)?.delete(key);
      this.#mark(hostAgent, key);
    }
    for (const id of changes.removedHostAgents) this.#removeHostAgent(held, id);
  }

  #removeHostAgent(held: Held, id: string): void {
    for (const key of held.rows.get(id)?.keys() ?? []) this.#mark(id, key);
    held.rows.delete(id);
    held.hostAgents.delete(id);
    this.#mark(id);
  }

  #applyHeard(heard: Heard, nowMono: number): void {
    const held = this.#incoming ?? this.#shown;
    for (const { hostAgent, heardAgeMs, hostNowMs } of heard.hosts) {
      const known = held.hostAgents.get(hostAgent);
      if (!known?.agent.facts) continue;
      const { agent, saidAtMono } = known;
      known.agent = {
        ...agent,
        heardAgeMs,
        facts: { ...known.agent.facts, hostNowMs },
        link: { ...agent.link, ageMs: agent.link.ageMs + nowMono - saidAtMono },
      };
      known.saidAtMono = nowMono;
    }
  }

  #endSnapshot(): void {
    const fresh = this.#incoming;
    if (!fresh) return;
    const old = this.#shown;
    this.#incoming = null;
    this.#shown = fresh;
    for (const id of old.hostAgents.keys()) if (!fresh.hostAgents.has(id)) this.#mark(id);
    for (const [id, rows] of old.rows) {
      const freshRows = fresh.rows.get(id);
      for (const [key, row] of rows) {
        const freshRow = freshRows?.get(key);
        if (!freshRow) this.#mark(id, key);
        else if (freshRows && Buffer.compare(row.bytes, freshRow.bytes) === 0) {
          // Said again, unchanged: no news, and it need not be decoded again.
          freshRows.set(key, row);
          this.#changes.rows.delete(`${id}\n${key}`);
        }
      }
    }
  }

  #mark(hostAgent: string, key?: string): void {
    if (!this.#follows) return;
    if (key === undefined) this.#changes.hostAgents.add(hostAgent);
    else this.#changes.rows.set(`${hostAgent}\n${key}`, { hostAgent, key });
  }
}

/** A row that this version cannot read is still a row: what exists is never shown as nothing. */
const decodedOrUnreadable = (key: string, bytes: Uint8Array): AgentRow => {
  try {
    return decodeAgentRow(bytes);
  } catch {
    return unreadableRow(key);
  }
};

const unreadableRow = (key: string): AgentRow => ({
  key,
  agent: '(unreadable row)',
  managed: false,
  source: 'socket',
  role: null,
  runtime: null,
  model: null,
  effort: null,
  lifecycle: null,
  runtimeSeen: null,
  modelSeen: null,
  unit: null,
  tmux: null,
  heartbeat: { state: 'missing', tsMs: null, status: null, pid: null, source: null },
  lastOutputMs: null,
  startedMs: null,
  stateSinceMs: null,
  lastExit: null,
  rssBytes: null,
  cpuPercent: null,
  watchers: 0,
  writer: null,
  readiness: 'unknown',
  reason: 'row of another version',
  reasonCode: null,
  attention: null,
  flags: [],
  order: Number.MAX_SAFE_INTEGER,
});
