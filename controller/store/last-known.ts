/**
 * The rows last heard of each host-agent, so that a restarted controller shows them as not current instead of
 * nothing. Bytes as given: whoever calls leaves titles and pane text out. A row that rests as it is is not written again.
 */
import { hash } from 'node:crypto';
import type { Logger } from '../../src/runtime/logger.ts';
import { type Store, scan } from './store.ts';
import { WriteBehind, type WriteBehindOptions } from './write-behind.ts';

const ROWS = 'row/';
const AGENTS = 'host-agent/';

export type LastKnownItem =
  | { type: 'host-agent'; hostAgent: string; bytes: Uint8Array }
  | { type: 'row'; hostAgent: string; key: string; bytes: Uint8Array };

export class LastKnown {
  readonly #store: Store;
  readonly #writes: WriteBehind;
  /** Digests of the rows that rest there or are on their way, by their keys. */
  readonly #rests = new Map<string, string>();

  constructor(store: Store, log: Logger, options: WriteBehindOptions = {}) {
    this.#store = store;
    this.#writes = new WriteBehind(store, log, options);
  }

  start(): void {
    this.#writes.start();
  }

  stop(): Promise<void> {
    return this.#writes.stop();
  }

  /** Rows and host-agents of which the store has an older word, or none: it refuses the newest. */
  get refused(): number {
    return this.#writes.refused;
  }

  /** `hostAgent` is `host/user`. What is said of the host-agent itself, beside its rows. */
  putHostAgent(hostAgent: string, bytes: Uint8Array): void {
    this.#writes.put(AGENTS + hostAgent, bytes);
  }

  putRow(hostAgent: string, key: string, bytes: Uint8Array): void {
    const name = `${ROWS}${hostAgent}/${key}`;
    const digest = digestOf(bytes);
    if (this.#rests.get(name) === digest) return;
    this.#rests.set(name, digest);
    this.#writes.put(name, bytes);
  }

  removeRow(hostAgent: string, key: string): void {
    const name = `${ROWS}${hostAgent}/${key}`;
    this.#rests.delete(name);
    this.#writes.remove(name);
  }

  /** Everything about a host-agent that an operator removed. */
  async forget(hostAgent: string): Promise<void> {
    await this.#writes.flush();
    for await (const { key } of scan(this.#store, `${ROWS}${hostAgent}/`)) {
      this.#rests.delete(key);
      this.#writes.remove(key);
    }
    this.#writes.remove(AGENTS + hostAgent);
    await this.#writes.flush();
  }

  /** Host-agents first, then rows. */
  async *load(): AsyncGenerator<LastKnownItem> {
    for await (const { key, value } of scan(this.#store, AGENTS)) {
      yield { type: 'host-agent', hostAgent: key.slice(AGENTS.length), bytes: value };
    }
    for await (const { key, value } of scan(this.#store, ROWS)) {
      this.#rests.set(key, digestOf(value));
      const [host, user, ...rest] = key.slice(ROWS.length).split('/');
      yield { type: 'row', hostAgent: `${host}/${user}`, key: rest.join('/'), bytes: value };
    }
  }
}

/** Tells rows apart; nothing is proven by it. */
const digestOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'base64');
