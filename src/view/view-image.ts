/**
 * Another FleetService's frames applied to a view of our own: what it says stands here with the ages it said.
 * Our own host-agent is left out: nobody knows it better. A new snapshot removes what it no longer names of its part.
 */
import { FleetError } from '../domain/errors.ts';
import type { LinkReason } from '../domain/host-agent.ts';
import type { Clock } from '../runtime/clock.ts';
import { MAX_ROW_BYTES } from '../wire/agent-row.ts';
import type { HostAgent as HostAgentMessage } from '../wire/gen/fleet/v1/types.ts';
import type { Changes, Upstream, WatchAgentsResponse } from '../wire/gen/fleet/v1/view.ts';
import { hostAgentFromWire } from '../wire/host-agent.ts';
import { type FleetView, type HostAgentRecord, heardBehind } from './fleet-view.ts';

const MAX_BYTES = 64 * 1024 * 1024;

export interface ViewImageOptions {
  view: FleetView;
  clock: Clock;
  /** Bounds what another daemon can make this one hold. */
  maxBytes?: number;
  /** The part of the view that is told by these frames; unset: all of it. */
  isPart?: (record: HostAgentRecord) => boolean;
  /** Of a peer's frames, for whom what they tell exists. */
  audience?: () => readonly string[];
}

export class ViewImage {
  readonly #view: FleetView;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #isPart: (record: HostAgentRecord) => boolean;
  readonly #audience: (() => readonly string[]) | undefined;
  /** What the snapshot under way has named, keys of rows by their host-agent; null between snapshots. */
  #snapshot: { hostAgents: Set<string>; rows: Map<string, Set<string>> } | null = null;
  #bytes = 0;
  resumeToken = '';
  upstream: Upstream | null = null;

  constructor(options: ViewImageOptions) {
    this.#view = options.view;
    this.#clock = options.clock;
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
    this.#isPart = options.isPart ?? (() => true);
    this.#audience = options.audience;
  }

  /** Of the rows that are held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Returns true when the frame was a bookmark: the image is complete as of now. */
  apply(frame: WatchAgentsResponse): boolean {
    if (frame.opened) this.#snapshot = frame.opened.resumed ? null : { hostAgents: new Set(), rows: new Map() };
    if (frame.changes) this.#applyChanges(frame.changes);
    for (const host of frame.heard?.hosts ?? []) this.#applyHeard(host);
    if (frame.heard?.upstream) this.upstream = frame.heard.upstream;
    if (!frame.bookmark) return false;
    this.resumeToken = frame.bookmark.resumeToken;
    this.upstream = frame.bookmark.upstream ?? null;
    this.#endSnapshot();
    return true;
  }

  /** The other side cannot be heard: its host-agents keep their last rows and their ages stand still. */
  unreachable(state: 'resuming' | 'unconfirmed' | 'lost', reason: LinkReason): void {
    for (const record of this.#told()) {
      const worst = record.linkState === 'lost' ? 'lost' : state;
      this.#view.setLink(record.id, worst, reason, record.heardAtMono);
    }
  }

  /** Another source from now on: nothing of the old one is kept. */
  clear(): void {
    if (this.#view.hereId !== null) this.#view.setBehind(this.#view.hereId, null);
    for (const { id } of this.#told()) this.#removeHostAgent(id);
    this.#snapshot = null;
    this.resumeToken = '';
    this.upstream = null;
  }

  #applyChanges(changes: Changes): void {
    for (const message of changes.hostAgents) this.#putHostAgent(message);
    for (const { hostAgent, key, row } of changes.agents) {
      if (hostAgent === this.#view.hereId) continue;
      if (row.length > MAX_ROW_BYTES) throw new FleetError('INVALID_ARGUMENT', `row of ${row.length} bytes received`);
      const bytes = this.#bytes + row.length - (this.#view.rowsOf(hostAgent).get(key)?.row.length ?? 0);
      if (bytes > this.#maxBytes) {
        throw new FleetError('RESOURCE_EXHAUSTED', `more than ${this.#maxBytes} bytes of rows received`);
      }
      if (this.#view.hostAgent(hostAgent) === undefined) {
        throw new FleetError('INVALID_ARGUMENT', `a row of ${hostAgent} came before its host-agent`);
      }
      this.#bytes = bytes;
      this.#view.putRow(hostAgent, key, row);
      this.#name(hostAgent, key);
    }
    for (const { hostAgent, key } of changes.removedAgents) {
      if (hostAgent !== this.#view.hereId) this.#removeRow(hostAgent, key);
    }
    for (const id of changes.removedHostAgents) if (id !== this.#view.hereId) this.#removeHostAgent(id);
  }

  #putHostAgent(message: HostAgentMessage): void {
    const said = hostAgentFromWire(message);
    const now = this.#clock.monotonicMs();
    const { link, heardAgeMs, ...rest } = said;
    const behind = said.behind && heardBehind(said.behind, now);
    // Of our own host-agent this alone is known better elsewhere.
    if (said.id === this.#view.hereId) {
      this.#view.setBehind(said.id, behind);
      return;
    }
    this.#view.putHostAgent({
      ...rest,
      ...(this.#audience && { audience: this.#audience() }),
      behind,
      here: false,
      linkState: link.state,
      linkReason: link.reason,
      linkSinceMono: now - link.ageMs,
      heardAtMono: now - heardAgeMs,
    });
    this.#snapshot?.hostAgents.add(said.id);
  }

  #applyHeard(host: { hostAgent: string; heardAgeMs: number; hostNowMs: number }): void {
    const record = this.#view.hostAgent(host.hostAgent);
    if (!record?.facts || record.here) return;
    this.#view.heard(record.id, { ...record.facts, hostNowMs: host.hostNowMs });
    record.heardAtMono = this.#clock.monotonicMs() - host.heardAgeMs;
  }

  #endSnapshot(): void {
    const named = this.#snapshot;
    if (!named) return;
    this.#snapshot = null;
    for (const { id } of this.#told()) {
      const keys = named.rows.get(id);
      const held = this.#view.rowsOf(id);
      if (!named.hostAgents.has(id)) this.#removeHostAgent(id);
      // Each that was named is held: as many are the same ones, and tens of thousands need not be looked at.
      else if ((keys?.size ?? 0) !== held.size) {
        for (const key of [...held.keys()]) if (!keys?.has(key)) this.#removeRow(id, key);
      }
    }
  }

  #name(hostAgent: string, key: string): void {
    if (!this.#snapshot) return;
    const { rows } = this.#snapshot;
    const keys = rows.get(hostAgent);
    if (keys) keys.add(key);
    else rows.set(hostAgent, new Set([key]));
  }

  #told(): HostAgentRecord[] {
    return [...this.#view.hostAgents()].filter((record) => !record.here && this.#isPart(record));
  }

  #removeRow(hostAgent: string, key: string): void {
    this.#bytes -= this.#view.rowsOf(hostAgent).get(key)?.row.length ?? 0;
    this.#view.removeRow(hostAgent, key);
    this.#snapshot?.rows.get(hostAgent)?.delete(key);
  }

  #removeHostAgent(id: string): void {
    for (const key of [...this.#view.rowsOf(id).keys()]) this.#removeRow(id, key);
    this.#view.removeHostAgent(id);
    this.#snapshot?.hostAgents.delete(id);
  }
}
