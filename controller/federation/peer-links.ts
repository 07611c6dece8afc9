/**
 * A line for each active peer, begun and ended as the store says: a peer that is removed takes its rows along at once, one
 * whose record changed is dialled anew.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import type { PeerStanding as ToldStanding } from '../../src/wire/gen/fleet/v1/view.ts';
import type { PeerRecord, Records } from '../store/records.ts';
import { type Caller, GRANTABLE_VERBS } from '../tenancy/caller.ts';
import { isVisible } from '../tenancy/visible.ts';
import type { BreakerOptions } from './breaker.ts';
import { PeerLink, type PeerLinkOptions } from './peer-link.ts';
import { PeerRows } from './peer-rows.ts';

export interface PeerLinksOptions extends Pick<PeerLinkOptions, 'identity' | 'clock' | 'log'> {
  records: Records;
  view: FleetView;
  clock: Clock;
  log: Logger;
  onConnected(cell: string, ...line: Parameters<NonNullable<PeerLinkOptions['onConnected']>>): void;
  breaker?: BreakerOptions;
}

interface Line {
  link: PeerLink;
  rows: PeerRows;
  /** What it was begun with. */
  record: PeerRecord;
  stop: AbortController;
  /** What it says that we may do there. */
  granted: string[];
  running: Promise<void>;
}

export class PeerLinks {
  readonly #options: PeerLinksOptions;
  readonly #lines = new Map<string, Line>();
  readonly #changed = new Listeners<[id: string]>();
  #watch: Disposable | null = null;

  constructor(options: PeerLinksOptions) {
    this.#options = options;
  }

  start(): void {
    const { store, peers } = this.#options.records;
    this.#watch = store.watch(peers.keyOf(''), () => this.#look());
    this.#look();
  }

  async stop(): Promise<void> {
    this.#watch?.[Symbol.dispose]();
    const lines = [...this.#lines.values()];
    for (const { stop } of lines) stop.abort();
    await Promise.all(lines.map(({ running }) => running));
  }

  /** Our certificate is another one now. */
  renew(): void {
    for (const { link } of this.#lines.values()) link.renew();
  }

  /** Hears the ids of host-agents whose cell's line changed. */
  onChange(listener: (id: string) => void): Disposable {
    return this.#changed.add(listener);
  }

  /** NOT_FOUND for a cell that is no active peer. */
  link(cell: string): PeerLink {
    const line = this.#lines.get(cell);
    if (line === undefined) throw new FleetError('NOT_FOUND', `cell ${cell} is no peer`);
    return line.link;
  }

  /** Of a peer that is not active there is none. */
  describe(cell: string): { rows: number; granted: string[]; link: ReturnType<PeerLink['describe']> } | null {
    const line = this.#lines.get(cell);
    if (line === undefined) return null;
    const link = line.link.describe();
    // Whoever ended it grants nothing any more, whatever was told last.
    return { rows: line.rows.count(), granted: link.state === 'revoked' ? [] : line.granted, link };
  }

  /** Its own word of what we may do there. */
  learnGranted(cell: string, verbs: readonly string[]): void {
    const line = this.#lines.get(cell);
    if (line) line.granted = GRANTABLE_VERBS.filter((verb) => verbs.includes(verb));
  }

  /** Peers whose agents may exist for a caller. */
  standings(caller: Pick<Caller, 'tenants' | 'grants'>): ToldStanding[] {
    const nowMono = this.#options.clock.monotonicMs();
    return [...this.#lines.values()].flatMap(({ link, record: { cell, audience } }) => {
      if (!isVisible(caller, { tenantId: '', audience })) return [];
      const { state, reason, sinceMono } = link.standing;
      return [{ cell, state, reason: reason ?? undefined, ageMs: nowMono - sinceMono }];
    });
  }

  #look(): void {
    const active = new Map([...this.#options.records.peers.entries()].filter(([, { state }]) => state === 'active'));
    for (const [cell, line] of this.#lines) {
      const record = active.get(cell);
      if (record === undefined) this.#end(cell, line);
      else this.#adapt(line, record);
    }
    for (const [cell, record] of active) if (!this.#lines.has(cell)) this.#begin(cell, record);
  }

  #begin(cell: string, begun: PeerRecord): void {
    const { view, clock, log, identity, onConnected, breaker } = this.#options;
    const current = (): PeerRecord => this.#lines.get(cell)?.record ?? begun;
    const rows = new PeerRows({
      view,
      clock,
      cell,
      limits: () => current().limits,
      audience: () => current().audience,
    });
    const link = new PeerLink({
      rows,
      clock,
      log,
      peer: current,
      identity,
      onConnected: (channel, signal) => onConnected(cell, channel, signal),
      ...(breaker ? { breaker } : {}),
    });
    link.onChange(() => {
      for (const id of rows.ids()) this.#changed.emit(id);
    });
    const stop = new AbortController();
    this.#lines.set(cell, { link, rows, record: begun, granted: [], stop, running: link.run(stop.signal) });
  }

  #adapt(line: Line, record: PeerRecord): void {
    const before = line.record;
    line.record = record;
    if (before.audience.join() !== record.audience.join()) line.rows.audienceChanged();
    const isElsewhere = before.addresses.join() !== record.addresses.join();
    const isAccepted = before.acceptedMs !== record.acceptedMs;
    if (isElsewhere || isAccepted || before.trustBundlePem !== record.trustBundlePem) line.link.renew();
  }

  #end(cell: string, { rows, stop }: Line): void {
    this.#lines.delete(cell);
    stop.abort(new FleetError('PERMISSION_DENIED', `cell ${cell} is no peer any more`));
    rows.clear();
  }
}
