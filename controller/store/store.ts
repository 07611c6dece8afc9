/**
 * Where the controller keeps what must outlive it: bytes under keys. As narrow as what an embedded database and a
 * distributed one can both do, so that one can replace the other.
 */

export interface Entry {
  key: string;
  value: Uint8Array;
  /** Of the commit that wrote it; rises over the whole store. */
  revision: bigint;
}

export interface Commit {
  /** Compared before anything is written; revision 0n means that the key must not exist. */
  expect?: readonly { key: string; revision: bigint }[];
  put?: readonly { key: string; value: Uint8Array }[];
  remove?: readonly string[];
}

/** now: on disk before the promise resolves. soon: whole or not at all, but a power cut may take the last ones. */
export type Durability = 'now' | 'soon';

export type Change = { key: string; entry: Entry | null };

export interface Store {
  get(key: string): Promise<Entry | null>;
  /** Ascending by key's bytes (descending with `reverse`), at most `limit`, beginning beyond `after`. */
  list(prefix: string, options: { limit: number; after?: string; reverse?: boolean }): Promise<Entry[]>;
  /**
   * Writes everything or nothing. The new revision, or null when an expectation did not hold.
   * RESOURCE_EXHAUSTED when the disk is full, DATA_LOSS when the store is damaged.
   */
  commit(change: Commit, durability?: Durability): Promise<bigint | null>;
  /** Told of every commit to `prefix`, after it and in order, each once; never of the past. */
  watch(prefix: string, listener: (changes: readonly Change[]) => void): Disposable;
}

/** Every entry below `prefix`, read in pages so that nothing else waits long. */
export async function* scan(store: Store, prefix: string, pageSize = 500): AsyncGenerator<Entry> {
  for (let after: string | undefined; ; ) {
    const page = await store.list(prefix, { limit: pageSize, ...(after === undefined ? {} : { after }) });
    yield* page;
    after = page.at(-1)?.key;
    if (page.length < pageSize) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
