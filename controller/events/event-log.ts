/**
 * Events as they are kept: numbered, in the store, for 7 days or up to 64 MiB, of which whoever has most gives up first.
 * Written behind in small commits and told only when they are stored, so that nobody is told of one that a restart forgets.
 */
import { randomInt } from 'node:crypto';
import type { FleetEvent } from '../../src/domain/fleet-event.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { type Entry, type Store, scan } from '../store/store.ts';
import { EventHoldings, type Leaving } from './event-holdings.ts';
import { type EventOwner, ownerNamed, ownerOf } from './event-owner.ts';
import { withoutMost } from './pending-events.ts';

export interface EventLogOptions {
  store: Store;
  clock: Clock;
  log: Logger;
  keepBytes?: number;
  keepMs?: number;
  maxPending?: number;
}

export interface KeptEvent extends FleetEvent {
  revision: number;
}

const PREFIX = 'event/';
/** By owner: the newest of its events that left while older ones of others stayed. */
const GAPS = 'event-gap/';
const KEEP_BYTES = 64 * 1024 * 1024;
const KEEP_MS = 7 * 24 * 3_600_000;
const MAX_PENDING = 20_000;
/** More than must leave, so that not each one that comes has all of them counted again. */
const PENDING_SLACK = 0.05;
const KEPT_SLACK = 0.01;
const BATCH = 200;
const TRIM_PAGE = 500;
const TRIM_EVERY_MS = 60_000;
/** After a power cut the last ones may be gone that somebody was told of: their numbers are not given again. */
const GAP = 1_000_000;
/** Numbers follow the clock, and chance: nobody can count by their gaps what others were told. */
const PER_MS = 1_000;
const MAX_STRIDE = 100;

/** Where a reader stands who was told that there is none yet: 0 would say that it was told nothing. */
const NOBODYS = 1;

const keyOf = (revision: number): string => PREFIX + String(revision).padStart(16, '0');
const sizeOf = (key: string, value: Uint8Array): number => key.length + value.byteLength;

export class EventLog {
  readonly #options: EventLogOptions;
  readonly #appended = new Listeners();
  /** Host-agents whose last word was that they are lost. */
  readonly #lost = new Set<string>();
  #pending: FleetEvent[] = [];
  #revision = 0;
  #next = 1;
  #floor = 0;
  readonly #holdings = new EventHoldings();
  readonly #gaps = new Map<string, number>();
  #dropped = 0;
  #trimmedMono = Number.NEGATIVE_INFINITY;
  #flushing: Promise<void> | null = null;

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { store } = this.#options;
    for await (const entry of scan(store, PREFIX)) {
      const event = decode(entry);
      const { revision, kind, host, user } = event;
      this.#holdings.add(ownerOf(event), revision, sizeOf(entry.key, entry.value));
      if (this.#revision === 0) this.#floor = revision - 1;
      this.#revision = revision;
      if (kind === 'host-lost') this.#lost.add(`${host}/${user}`);
      else if (kind === 'host-back') this.#lost.delete(`${host}/${user}`);
    }
    for await (const { key, value } of scan(store, GAPS)) {
      this.#gaps.set(key.slice(GAPS.length), Number(Buffer.from(value).toString('utf8')));
    }
    if (this.#revision === 0) this.#revision = NOBODYS;
    this.#next = this.#revision === NOBODYS ? NOBODYS + 1 : this.#revision + GAP;
    // Readers of the last run were told places up to its end.
    this.claim();
  }

  async stop(): Promise<void> {
    await this.flush();
  }

  /** As of the start. */
  get lost(): ReadonlySet<string> {
    return this.#lost;
  }

  /** Of the newest that is stored. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * A place behind all that is stored by now and before all that will be: where a reader stands who was told everything. It
   * says when that was, and nothing of others' events.
   */
  claim(): number {
    const place = this.#latest();
    this.#next = place + 1;
    return place;
  }

  /** Of the places that were ever claimed or given to an event. */
  isPast(revision: number): boolean {
    return revision < this.#next;
  }

  /** Whether everything up to there and more has left. */
  isBelow(revision: number): boolean {
    return revision < this.#floor;
  }

  /** Whether of those who are meant something has left that came after it, and not everything did. */
  hasGap(revision: number, isMeant: (owner: EventOwner) => boolean): boolean {
    return [...this.#gaps].some(([owner, gap]) => revision < gap && isMeant(ownerNamed(owner)));
  }

  /** Events that could not be kept. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Never waits; what the store does not take in time is dropped, and counted. */
  append(events: readonly FleetEvent[]): void {
    if (events.length === 0) return;
    this.#pending.push(...events);
    this.#bound();
    void this.flush();
  }

  flush(): Promise<void> {
    this.#flushing ??= this.#drain().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  /** After each commit. */
  onAppend(listener: () => void): Disposable {
    return this.#appended.add(listener);
  }

  /** Oldest first. */
  async after(revision: number, limit: number): Promise<KeptEvent[]> {
    return (await this.#options.store.list(PREFIX, { limit, after: keyOf(revision) })).map(decode);
  }

  /** The last one before that moment; 0 where all that are kept are later. */
  async lastBefore(atMs: number): Promise<number> {
    for (let before: number | undefined; ; ) {
      const at = before === undefined ? {} : { after: keyOf(before) };
      const page = (await this.#options.store.list(PREFIX, { limit: TRIM_PAGE, reverse: true, ...at })).map(decode);
      const found = page.find((event) => event.atMs < atMs);
      if (found !== undefined) return found.revision;
      if (page.length < TRIM_PAGE) return 0;
      before = page.at(-1)?.revision;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #bound(): void {
    const { maxPending = MAX_PENDING } = this.#options;
    if (this.#pending.length <= maxPending) return;
    const count = this.#pending.length - Math.ceil(maxPending * (1 - PENDING_SLACK));
    this.#pending = withoutMost(this.#pending, count);
    this.#dropped += count;
  }

  #latest(): number {
    return Math.max(this.#next, Math.floor(this.#options.clock.nowMs() * PER_MS));
  }

  async #drain(): Promise<void> {
    const { store, log } = this.#options;
    // Others that come in the same turn go with them.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0, BATCH);
      let revision = this.#latest();
      const put = batch.map((event) => {
        revision += randomInt(1, MAX_STRIDE);
        const value = Buffer.from(JSON.stringify({ revision, ...event }), 'utf8');
        return { key: keyOf(revision), value, owner: ownerOf(event), revision };
      });
      try {
        await store.commit({ put }, 'soon');
      } catch (error) {
        this.#pending.unshift(...batch);
        this.#bound();
        log.error({ err: error, waiting: this.#pending.length, dropped: this.#dropped }, 'events refused by the store');
        return;
      }
      this.#next = revision + 1;
      this.#revision = revision;
      for (const each of put) this.#holdings.add(each.owner, each.revision, sizeOf(each.key, each.value));
      this.#appended.emit();
      await this.#trim();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #trim(): Promise<void> {
    const { clock, keepBytes = KEEP_BYTES, keepMs = KEEP_MS } = this.#options;
    const downTo = keepBytes * (1 - KEPT_SLACK);
    for (let isOver = this.#holdings.bytes > keepBytes; isOver; isOver = this.#holdings.bytes > downTo) {
      const leaving = this.#holdings.beyond(downTo, TRIM_PAGE);
      const gaps = new Map(leaving.map(({ owner, revision }) => [owner, revision]));
      if (leaving.length === 0 || !(await this.#letGo(leaving, gaps))) return;
    }
    if (clock.monotonicMs() - this.#trimmedMono < TRIM_EVERY_MS) return;
    this.#trimmedMono = clock.monotonicMs();
    await this.#trimBefore(clock.nowMs() - keepMs);
  }

  async #trimBefore(earliestMs: number): Promise<void> {
    for (let isMore = true; isMore; ) {
      const page = (await this.#options.store.list(PREFIX, { limit: TRIM_PAGE })).map(decode);
      const young = page.findIndex(({ atMs }) => atMs >= earliestMs);
      const old = young === -1 ? page : page.slice(0, young);
      if (old.length === 0) return;
      const leaving = old.map((event) => ({ owner: ownerOf(event), revision: event.revision }));
      if (!(await this.#letGo(leaving, new Map()))) return;
      this.#floor = old.at(-1)?.revision ?? this.#floor;
      isMore = old.length === TRIM_PAGE;
    }
  }

  /** false: the store did not take it. */
  async #letGo(leaving: readonly Leaving[], gaps: ReadonlyMap<string, number>): Promise<boolean> {
    const { store, log } = this.#options;
    const put = [...gaps].map(([owner, gap]) => ({ key: GAPS + owner, value: Buffer.from(String(gap), 'utf8') }));
    // Whoever is behind the floor is told so anyhow.
    const closed = [...this.#gaps].filter(([owner, gap]) => gap <= this.#floor && !gaps.has(owner));
    const remove = [...leaving.map(({ revision }) => keyOf(revision)), ...closed.map(([owner]) => GAPS + owner)];
    try {
      await store.commit({ put, remove }, 'soon');
    } catch (error) {
      log.error({ err: error }, 'old events not removed');
      return false;
    }
    for (const [owner] of closed) this.#gaps.delete(owner);
    for (const [owner, gap] of gaps) this.#gaps.set(owner, gap);
    for (const each of leaving) this.#holdings.remove(each);
    await new Promise((resolve) => setImmediate(resolve));
    return true;
  }
}

const decode = ({ value }: Entry): KeptEvent => JSON.parse(Buffer.from(value).toString('utf8')) as KeptEvent;
