/**
 * The client's copy of a view, from the frames of WatchAgents. A new snapshot replaces the old one only when its
 * bookmark has come: until then the old rows stand. Rows are decoded when somebody looks at them.
 */
import type { HostAgent } from '../../domain/host-agent.ts';
import { FRESH_MS } from '../../domain/link.ts';
import { type HostMoment, hostMoment } from '../../domain/make-views.ts';
import type { Caller, Changes, Heard, Upstream, WatchAgentsResponse } from '../../wire/gen/fleet/v1/view.ts';
import { hostAgentFromWire } from '../../wire/host-agent.ts';
import { KnownTexts } from '../../wire/known-texts.ts';
import { RowScan } from '../../wire/row-scan.ts';
import { MirroredRow, type RowReader } from './mirrored-row.ts';

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
  readonly #reader: RowReader;

  /** One that does not follow is looked at once: it remembers neither what changed nor what it decoded. */
  constructor(options: { follows: boolean } = { follows: true }) {
    this.#follows = options.follows;
    this.#reader = { scan: new RowScan(), texts: new KnownTexts(), keeps: options.follows };
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
    for (const entry of changes.agents) {
      const { hostAgent, key } = entry;
      const rows = held.rows.get(hostAgent) ?? new Map<string, MirroredRow>();
      if (rows.size === 0) held.rows.set(hostAgent, rows);
      rows.set(key, new MirroredRow(entry, this.#reader));
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
        else if (freshRows && row.isSameAs(freshRow)) {
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
