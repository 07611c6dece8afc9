/**
 * Keyed values in the order of their last change. A reader is nothing but a revision: it asks for what changed
 * since, gets whole values, each key once; so a slow reader holds no queue, and coalescing costs nothing.
 */
import { randomUUID } from 'node:crypto';
import { Listeners } from '../runtime/listeners.ts';

export interface Change<V> {
  key: string;
  revision: bigint;
  /** The value, or for what is removed the last one: whoever was not shown it must not hear of its end either. */
  value: V;
  removed: boolean;
}

interface Node<V> extends Change<V> {
  prev: Node<V> | null;
  next: Node<V> | null;
}

export class RevisionLog<V> {
  /** Names this run of the log; a revision means nothing in another. */
  readonly id = randomUUID();
  readonly #live = new Map<string, Node<V>>();
  readonly #removed = new Map<string, Node<V>>();
  readonly #listeners = new Listeners();
  readonly #maxRemovals: number;
  #head: Node<V> | null = null;
  #tail: Node<V> | null = null;
  #revision = 0n;
  #floor = 0n;

  /** `maxRemovals` bounds the memory of what is gone; readers older than the first forgotten one are "too old". */
  constructor(options: { maxRemovals?: number } = {}) {
    this.#maxRemovals = options.maxRemovals ?? 10_000;
  }

  get revision(): bigint {
    return this.#revision;
  }

  get size(): number {
    return this.#live.size;
  }

  get(key: string): V | undefined {
    return this.#live.get(key)?.value;
  }

  set(key: string, value: V): void {
    const gone = this.#removed.get(key);
    if (gone) {
      this.#removed.delete(key);
      this.#unlink(gone);
    }
    const node = this.#live.get(key);
    if (node) this.#unlink(node);
    const fresh = node ?? { key, revision: 0n, value, removed: false, prev: null, next: null };
    fresh.value = value;
    this.#live.set(key, fresh);
    this.#append(fresh);
    this.#listeners.emit();
  }

  delete(key: string): boolean {
    const node = this.#live.get(key);
    if (!node) return false;
    this.#live.delete(key);
    this.#unlink(node);
    node.removed = true;
    this.#removed.set(key, node);
    this.#append(node);
    if (this.#removed.size > this.#maxRemovals) {
      const [oldestKey, oldest] = this.#removed.entries().next().value as [string, Node<V>];
      this.#removed.delete(oldestKey);
      this.#unlink(oldest);
      this.#floor = oldest.revision;
    }
    this.#listeners.emit();
    return true;
  }

  /** Whether `since(revision)` can still tell the whole story. 0 asks for everything, which it always can. */
  reaches(revision: bigint): boolean {
    return revision === 0n || (revision >= this.#floor && revision <= this.#revision);
  }

  /** All changes after `revision`, oldest first. Take it synchronously: a change of the log ends its validity. */
  *since(revision: bigint): Generator<Change<V>> {
    let node = this.#tail;
    if (!node || node.revision <= revision) return;
    if (revision <= 0n) node = this.#head;
    else while (node.prev && node.prev.revision > revision) node = node.prev;
    while (node) {
      yield node;
      node = node.next;
    }
  }

  *values(): Generator<V> {
    for (const node of this.#live.values()) yield node.value;
  }

  onChange(listener: () => void): Disposable {
    return this.#listeners.add(listener);
  }

  #append(node: Node<V>): void {
    node.revision = ++this.#revision;
    node.prev = this.#tail;
    node.next = null;
    if (this.#tail) this.#tail.next = node;
    else this.#head = node;
    this.#tail = node;
  }

  #unlink(node: Node<V>): void {
    if (node.prev) node.prev.next = node.next;
    else this.#head = node.next;
    if (node.next) node.next.prev = node.prev;
    else this.#tail = node.prev;
    node.prev = null;
    node.next = null;
  }
}
