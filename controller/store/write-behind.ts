/**
 * Writes that may come late: the newest value of each key, in small commits once a second. When the store refuses
 * they stay and are tried again; above the bound the oldest is forgotten, and counted.
 */
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
      const put = batch.flatMap(([key, value]) => (value === null ? [] : [{ key, value }]));
      const remove = batch.flatMap(([key, value]) => (value === null ? [key] : []));
      try {
        await this.#store.commit({ put, remove }, 'soon');
      } catch (error) {
        this.#log.error({ err: error, waiting: this.#pending.size, dropped: this.#dropped }, 'late writes refused');
        return;
      }
      for (const [key, value] of batch) if (this.#pending.get(key) === value) this.#forget(key);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const sizeOf = (key: string, value: Uint8Array | null): number => key.length + (value?.byteLength ?? 0) + 64;
