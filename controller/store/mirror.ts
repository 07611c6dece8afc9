/**
 * A prefix of the store, decoded and held in memory: reads cost nothing and wait for nothing; writes go to the
 * store and come back as its changes, so memory never says what is not stored.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { type Entry, type Store, scan } from './store.ts';

export interface Held<T> {
  value: T;
  revision: bigint;
}

export class Mirror<T> {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #held = new Map<string, Held<T>>();
  #watch: Disposable | null = null;

  constructor(store: Store, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  async start(): Promise<void> {
    this.#watch = this.#store.watch(this.#prefix, (changes) => {
      for (const { key, entry } of changes) {
        if (entry === null) this.#held.delete(key.slice(this.#prefix.length));
        else this.#hold(entry);
      }
    });
    for await (const entry of scan(this.#store, this.#prefix)) this.#hold(entry);
  }

  stop(): void {
    this.#watch?.[Symbol.dispose]();
    this.#held.clear();
  }

  get(name: string): T | undefined {
    return this.#held.get(name)?.value;
  }

  /** 0n where there is none: what a commit expects to find unchanged. */
  expectation(name: string): { key: string; revision: bigint } {
    return { key: this.#prefix + name, revision: this.#held.get(name)?.revision ?? 0n };
  }

  writing(name: string, value: T): { key: string; value: Uint8Array } {
    return { key: this.#prefix + name, value: Buffer.from(JSON.stringify(value), 'utf8') };
  }

  keyOf(name: string): string {
    return this.#prefix + name;
  }

  *entries(): IterableIterator<[string, T]> {
    for (const [name, { value }] of this.#held) yield [name, value];
  }

  #hold(entry: Entry): void {
    const name = entry.key.slice(this.#prefix.length);
    if ((this.#held.get(name)?.revision ?? 0n) >= entry.revision) return;
    try {
      const value = JSON.parse(Buffer.from(entry.value).toString('utf8')) as T;
      this.#held.set(name, { value, revision: entry.revision });
    } catch (cause) {
      throw new FleetError('DATA_LOSS', `the stored record ${entry.key} is unreadable: restore the store`, { cause });
    }
  }
}
