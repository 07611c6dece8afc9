/**
 * The merged picture: host-agents beside their links, agents' rows as the bytes their hosts encoded.
 * Both daemons keep one; a FleetService is a stream of it. Rows leave only when a host or an operator says so.
 */
import type { HostAgent, HostFacts, Link } from '../domain/host-agent.ts';
import type { Behind } from '../domain/intent.ts';
import type { Clock } from '../runtime/clock.ts';
import { ResumeTokens } from './resume-token.ts';
import { RevisionLog } from './revision-log.ts';

/** A host-agent as held: moments of the monotonic clock instead of ages. */
export interface HostAgentRecord {
  kind: 'host-agent';
  id: string;
  cell: string;
  host: string;
  user: string;
  tenantId: string;
  here: boolean;
  linkState: Link['state'];
  linkReason: Link['reason'];
  linkSinceMono: number;
  facts: HostFacts | null;
  heardAtMono: number;
  clockSkewMs: number | null;
  behind: HeldBehind | null;
  /** Of a peer's, the tenants here for whom it exists: its own tenant is the peer's word. Unset: this cell's own. */
  audience?: readonly string[];
  /** It may report and nothing else. */
  quarantined?: boolean;
}

/** A moment at which it was given, and one at which it expires. */
export interface HeldBehind {
  state: Behind['state'];
  reason: string;
  givenAtMono: number;
  expiresAtMono: number | null;
}

export interface AgentRecord {
  kind: 'agent';
  hostAgent: string;
  tenantId: string;
  /** As its host-agent's. */
  audience?: readonly string[];
  key: string;
  /** An encoded AgentRow. */
  row: Buffer;
}

export type ViewRecord = HostAgentRecord | AgentRecord;

/** Each owner's records have log keys of their own: what moves to another one leaves there like anything that is gone. */
const ofOwner = ({ tenantId, audience }: Owner, name: string): string => {
  const owner = audience === undefined ? tenantId : JSON.stringify([tenantId, ...audience]);
  return `${owner.length}:${owner}\n${name}`;
};
const hostLogKey = (record: HostAgentRecord): string => ofOwner(record, record.id);
const rowLogKey = (record: AgentRecord): string => ofOwner(record, `${record.hostAgent}\n${record.key}`);

export class FleetView {
  readonly log: RevisionLog<ViewRecord>;
  readonly resumeTokens = new ResumeTokens();
  readonly #clock: Clock;
  readonly #hostAgents = new Map<string, HostAgentRecord>();
  readonly #rows = new Map<string, Map<string, AgentRecord>>();

  constructor(options: { clock: Clock; maxRemovals?: number }) {
    this.#clock = options.clock;
    this.log = new RevisionLog(options);
  }

  /** The host-agent that answers, where one does. */
  hereId: string | null = null;

  hostAgents(): IterableIterator<HostAgentRecord> {
    return this.#hostAgents.values();
  }

  hostAgent(id: string): HostAgentRecord | undefined {
    return this.#hostAgents.get(id);
  }

  rowsOf(id: string): ReadonlyMap<string, AgentRecord> {
    return this.#rows.get(id) ?? new Map();
  }

  /**
   * What this record is now, whosever it is by now; undefined: it is gone. The removal of what is still held is no news to
   * readers who see it where it is.
   */
  present(record: ViewRecord): ViewRecord | undefined {
    return record.kind === 'agent' ? this.rowsOf(record.hostAgent).get(record.key) : this.hostAgent(record.id);
  }

  /** Adds or changes a host-agent; always a change for readers. One of another owner by now takes its rows along. */
  putHostAgent(record: Omit<HostAgentRecord, 'kind'>): void {
    const held: HostAgentRecord = { kind: 'host-agent', ...record };
    const before = this.#hostAgents.get(held.id);
    this.#hostAgents.set(held.id, held);
    if (!this.#rows.has(held.id)) this.#rows.set(held.id, new Map());
    if (held.here) this.hereId = held.id;
    if (before !== undefined && !sameOwner(before, held)) this.#move(before, held);
    this.log.set(hostLogKey(held), held);
  }

  /** A new state of the link; the same state with the same reason is no change. */
  setLink(id: string, state: Link['state'], reason: Link['reason'], sinceMono = this.#clock.monotonicMs()): boolean {
    const held = this.#hostAgents.get(id);
    if (!held || (held.linkState === state && held.linkReason === reason)) return false;
    const since = held.linkState === state ? held.linkSinceMono : sinceMono;
    this.putHostAgent({ ...held, linkState: state, linkReason: reason, linkSinceMono: since });
    return true;
  }

  /** Proof of life. Only facts that differ in more than the time, and a clock that was set, are a change for readers. */
  heard(id: string, facts: HostFacts | null, clockSkewMs?: number | null): void {
    const held = this.#hostAgents.get(id);
    if (!held) return;
    held.heardAtMono = this.#clock.monotonicMs();
    if (facts === null) return;
    const skewed = clockSkewMs !== undefined && !sameSkew(held.clockSkewMs, clockSkewMs);
    const changed = held.facts === null || !sameFacts(held.facts, facts) || skewed;
    held.facts = facts;
    if (skewed) held.clockSkewMs = clockSkewMs;
    if (changed) this.log.set(hostLogKey(held), held);
  }

  /** What a host-agent was not told yet, or null; the same again is no change for readers. */
  setBehind(id: string, behind: HeldBehind | null): void {
    const held = this.#hostAgents.get(id);
    if (held && !sameBehind(held.behind, behind)) this.putHostAgent({ ...held, behind });
  }

  removeHostAgent(id: string): void {
    for (const key of [...this.rowsOf(id).keys()]) this.removeRow(id, key);
    const held = this.#hostAgents.get(id);
    this.#rows.delete(id);
    this.#hostAgents.delete(id);
    if (held !== undefined) this.log.delete(hostLogKey(held));
  }

  /** Returns whether the row was new or different. The host-agent must be known. */
  putRow(hostAgent: string, key: string, row: Buffer): boolean {
    const rows = this.#rows.get(hostAgent);
    const owner = this.#hostAgents.get(hostAgent);
    if (!rows || !owner) return false;
    const held = rows.get(key);
    if (held && sameBytes(held.row, row)) return false;
    const record: AgentRecord = { kind: 'agent', hostAgent, ...ownerOf(owner), key, row };
    rows.set(key, record);
    this.log.set(rowLogKey(record), record);
    return true;
  }

  removeRow(hostAgent: string, key: string): boolean {
    const held = this.rowsOf(hostAgent).get(key);
    if (held === undefined) return false;
    this.#rows.get(hostAgent)?.delete(key);
    return this.log.delete(rowLogKey(held));
  }

  /** The record as it is to be said now: moments become ages. */
  say(record: HostAgentRecord): HostAgent {
    const now = this.#clock.monotonicMs();
    const { kind: _, audience: _own, linkState, linkReason, linkSinceMono, heardAtMono, behind, ...rest } = record;
    return {
      ...rest,
      link: { state: linkState, reason: linkReason, ageMs: Math.max(0, now - linkSinceMono) },
      heardAgeMs: Math.max(0, now - heardAtMono),
      behind: behind && sayBehind(behind, now),
    };
  }

  /** All of it stands where it moved before anybody is told of any. */
  #move(before: HostAgentRecord, owner: HostAgentRecord): void {
    const left = [...this.rowsOf(owner.id).values()];
    const moved = left.map(({ audience: _, ...record }) => ({ ...record, ...ownerOf(owner) }));
    this.#rows.set(owner.id, new Map(moved.map((record) => [record.key, record])));
    for (const record of left) this.log.delete(rowLogKey(record));
    this.log.delete(hostLogKey(before));
    for (const record of moved) this.log.set(rowLogKey(record), record);
  }
}

type Owner = Pick<HostAgentRecord, 'tenantId' | 'audience'>;

const ownerOf = ({ tenantId, audience }: Owner): Owner => (audience ? { tenantId, audience } : { tenantId });

const sameOwner = (a: Owner, b: Owner): boolean =>
  a.tenantId === b.tenantId && a.audience?.join('\n') === b.audience?.join('\n');

const sayBehind = ({ state, reason, givenAtMono, expiresAtMono }: HeldBehind, now: number): Behind => ({
  state,
  reason,
  ageMs: Math.max(0, now - givenAtMono),
  expiresInMs: expiresAtMono === null ? null : Math.max(0, expiresAtMono - now),
});

export const heardBehind = ({ state, reason, ageMs, expiresInMs }: Behind, now: number): HeldBehind => ({
  state,
  reason,
  givenAtMono: now - ageMs,
  expiresAtMono: expiresInMs === null ? null : now + expiresInMs,
});

/** Time on the way moves the moments from one telling to the next. */
const MOMENT_NOISE_MS = 2_000;

const sameMoment = (a: number | null, b: number | null): boolean =>
  a === null || b === null ? a === b : Math.abs(a - b) < MOMENT_NOISE_MS;

const sameBehind = (a: HeldBehind | null, b: HeldBehind | null): boolean =>
  a === null || b === null
    ? a === b
    : a.state === b.state &&
      a.reason === b.reason &&
      sameMoment(a.givenAtMono, b.givenAtMono) &&
      sameMoment(a.expiresAtMono, b.expiresAtMono);

const sameBytes = (a: Buffer, b: Buffer): boolean => a.length === b.length && Buffer.compare(a, b) === 0;

/** How long a beat was on its way moves the skew from one to the next. */
const SKEW_NOISE_MS = 1_000;

const sameSkew = (a: number | null, b: number | null): boolean =>
  a === null || b === null ? a === b : Math.abs(a - b) < SKEW_NOISE_MS;

const sameWords = (a: unknown, b: unknown): boolean =>
  Array.isArray(a) && Array.isArray(b) ? a.length === b.length && a.every((word, at) => word === b[at]) : a === b;

const sameFacts = (a: HostFacts, b: HostFacts): boolean =>
  (Object.keys(b) as (keyof HostFacts)[]).every((name) => name === 'hostNowMs' || sameWords(a[name], b[name]));
