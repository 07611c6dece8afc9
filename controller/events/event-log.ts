/**
 * Events as they are kept: numbered, in the store, for 7 days or up to 64 MiB; the oldest go first. Written behind in small
 * commits and told only when they are stored, so that nobody is told of one that a restart forgets.
 */
import { randomInt } from 'node:crypto';
import type { FleetEvent } from '../../src/domain/fleet-event.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { type Entry, type Store, scan } from '../store/store.ts';

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
const KEEP_BYTES = 64 * 1024 * 1024;
const KEEP_MS = 7 * 24 * 3_600_000;
const MAX_PENDING = 20_000;
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
  #bytes = 0;
  #dropped = 0;
  #trimmedMono = Number.NEGATIVE_INFINITY;
  #flushing: Promise<void> | null = null;

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { store } = this.#options;
    for await (const entry of scan(store, PREFIX)) {
      this.#bytes += sizeOf(entry.key, entry.value);
      const { revision, kind, host, user } = decode(entry);
      if (this.#revision === 0) this.#floor = revision - 1;
      this.#revision = revision;
      if (kind === 'host-lost') this.#lost.add(`${host}/${user}`);
      else if (kind === 'host-back') this.#lost.delete(`${host}/${user}`);
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

  /** Whoever was told up to here or later has missed nothing that was let go. */
  get floor(): number {
    return this.#floor;
  }

  /** Events that could not be kept. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Never waits; what the store does not take in time is dropped, and counted. */
  append(events: readonly FleetEvent[]): void {
    if (events.length === 0) return;
    this.#pending.push(...events);
    const over = this.#pending.length - (this.#options.maxPending ?? MAX_PENDING);
    if (over > 0) {
      this.#pending.splice(0, over);
      this.#dropped += over;
    }
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

  #latest(): number {
    return Math.max(this.#next, Math.floor(this.#options.clock.nowMs() * PER_MS));
  }

  async #drain(): Promise<void> {
    const { store, log } = this.#options;
    // Others that come in the same turn go with them.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#pending.length > 0) {
      const batch = this.#pending.slice(0, BATCH);
      let revision = this.#latest();
      const put = batch.map((event) => {
        revision += randomInt(1, MAX_STRIDE);
        return { key: keyOf(revision), value: Buffer.from(JSON.stringify({ revision, ...event }), 'utf8') };
      });
      try {
        await store.commit({ put }, 'soon');
      } catch (error) {
        log.error({ err: error, waiting: this.#pending.length, dropped: this.#dropped }, 'events refused by the store');
        return;
      }
      this.#pending.splice(0, batch.length);
      this.#next = revision + 1;
      this.#revision = revision;
      for (const { key, value } of put) this.#bytes += sizeOf(key, value);
      this.#appended.emit();
      await this.#trim();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #trim(): Promise<void> {
    const { store, clock, log, keepBytes = KEEP_BYTES, keepMs = KEEP_MS } = this.#options;
    const isTime = clock.monotonicMs() - this.#trimmedMono >= TRIM_EVERY_MS;
    if (this.#bytes <= keepBytes && !isTime) return;
    this.#trimmedMono = clock.monotonicMs();
    const earliestMs = clock.nowMs() - keepMs;
    for (;;) {
      const page = await store.list(PREFIX, { limit: TRIM_PAGE });
      const gone: string[] = [];
      for (const entry of page) {
        if (this.#bytes <= keepBytes && decode(entry).atMs >= earliestMs) break;
        this.#bytes -= sizeOf(entry.key, entry.value);
        this.#floor = decode(entry).revision;
        gone.push(entry.key);
      }
      if (gone.length === 0) return;
      try {
        await store.commit({ remove: gone }, 'soon');
      } catch (error) {
        log.error({ err: error }, 'old events not removed');
        return;
      }
      if (gone.length < TRIM_PAGE) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const decode = ({ value }: Entry): KeptEvent => JSON.parse(Buffer.from(value).toString('utf8')) as KeptEvent;
