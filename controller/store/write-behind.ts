/**
 * Writes that may come late: the newest value of each key, in small commits once a second. When the store takes nothing they
 * wait; above the bound the oldest is forgotten, and counted. What it refuses alone is set aside, and holds up nothing.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Store } from './store.ts';

export interface WriteBehindOptions {
  intervalMs?: number;
  maxPendingBytes?: number;
  commitKeys?: number;
}

export class WriteBehind {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #options: Required<WriteBehindOptions>;
  #pending = new Map<string, Uint8Array | null>();
  #pendingBytes = 0;
  #dropped = 0;
  /** Keys that the store does not have as they were last put. */
  readonly #refused = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #flushing: Promise<void> | null = null;

  constructor(store: Store, log: Logger, options: WriteBehindOptions = {}) {
    this.#store = store;
    this.#log = log;
    this.#options = { intervalMs: 1_000, maxPendingBytes: 64 * 1024 * 1024, commitKeys: 200, ...options };
  }

  /** Changes that were forgotten because too many waited. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Keys whose newest change the store refused while it took others: it has an older one of them, or none. */
  get refused(): number {
    return this.#refused.size;
  }

  start(): void {
    this.#timer = setInterval(() => void this.flush(), this.#options.intervalMs);
  }

  put(key: string, value: Uint8Array): void {
    this.#set(key, value);
  }

  remove(key: string): void {
    this.#set(key, null);
  }

  /** Resolves when all that waits now is stored, or was refused and waits on. */
  flush(): Promise<void> {
    this.#flushing ??= this.#drain().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.#flushing;
    await this.flush();
  }

  #set(key: string, value: Uint8Array | null): void {
    this.#forget(key);
    this.#pending.set(key, value);
    this.#pendingBytes += sizeOf(key, value);
    while (this.#pendingBytes > this.#options.maxPendingBytes) {
      this.#forget(this.#pending.keys().next().value as string);
      this.#dropped++;
    }
  }

  #forget(key: string): void {
    const value = this.#pending.get(key);
    if (value === undefined) return;
    this.#pending.delete(key);
    this.#pendingBytes -= sizeOf(key, value);
  }

  async #drain(): Promise<void> {
    while (this.#pending.size > 0) {
      const batch = [...this.#pending.entries().take(this.#options.commitKeys)];
      try {
        await this.#commit(batch);
      } catch (error) {
        const failure = await this.#oneByOne(batch, error);
        if (failure === null) continue;
        const { size: refused } = this.#refused;
        const counts = { waiting: this.#pending.size, dropped: this.#dropped, refused };
        this.#log.error({ err: failure, ...counts }, 'late writes refused');
        return;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #commit(batch: readonly Write[]): Promise<void> {
    const put = batch.flatMap(([key, value]) => (value === null ? [] : [{ key, value }]));
    const remove = batch.flatMap(([key, value]) => (value === null ? [key] : []));
    await this.#store.commit({ put, remove }, 'soon');
    for (const write of batch) this.#over(write);
    for (const [key] of batch) this.#refused.delete(key);
  }

  /** Of a batch that was refused, what can be written. The failure where the store takes nothing now: all that is left waits. */
  async #oneByOne(batch: readonly Write[], refusal: unknown): Promise<unknown> {
    try {
      if (isPassing(refusal)) return refusal;
      await this.#store.commit({}, 'soon');
    } catch (error) {
      return error;
    }
    for (const write of batch) {
      try {
        await this.#commit([write]);
      } catch (error) {
        if (isPassing(error)) return error;
        this.#setAside(write, error);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    return null;
  }

  #setAside(write: Write, err: unknown): void {
    const [key] = write;
    this.#over(write);
    if (this.#refused.has(key)) return;
    if (this.#refused.size < MAX_REFUSED) this.#refused.add(key);
    this.#log.error({ err, key }, 'a late write is refused by itself, and set aside until it changes');
  }

  /** Unless a newer one came meanwhile. */
  #over([key, value]: Write): void {
    if (this.#pending.get(key) === value) this.#forget(key);
  }
}

type Write = readonly [key: string, value: Uint8Array | null];

/** Told apart, and counted. */
const MAX_REFUSED = 1_000;

/** The same may be taken later: it says nothing of what was to be written. */
const isPassing = (error: unknown): boolean => error instanceof FleetError && error.retryable;

const sizeOf = (key: string, value: Uint8Array | null): number => key.length + (value?.byteLength ?? 0) + 64;
