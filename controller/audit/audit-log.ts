/**
 * Who did what: a chain of records in the store, each sealed with the hash of the one before. Changes and their
 * denials are on disk before `record` resolves; reads wait in a bounded queue whose losses are recorded too.
 */
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Durability, Store } from '../store/store.ts';
import {
  AUDIT_PREFIX,
  type AuditEntry,
  type AuditRecord,
  auditKey,
  decodeRecord,
  encodeRecord,
  GENESIS,
  seal,
} from './audit-record.ts';
import { type ChainVerdict, type KeptHead, verifyChain } from './verify-chain.ts';

export interface AuditOptions {
  cell?: string;
  maxQueuedReads?: number;
  flushIntervalMs?: number;
  /** Older records than this many are let go. */
  keepRecords?: number;
}

/** Written in one go: short enough for nobody to wait for it. */
const BATCH = 100;

interface Noted {
  entry: AuditEntry;
  atMs: number;
}

export class AuditLog {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #options: Required<AuditOptions>;
  readonly #appended = new Listeners();
  #last = { sequence: 0, hash: GENESIS };
  #queued: Noted[] = [];
  #dropped = 0;
  #droppedEver = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #flushing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(store: Store, clock: Clock, log: Logger, options: AuditOptions = {}) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#options = { cell: '', maxQueuedReads: 5_000, flushIntervalMs: 1_000, keepRecords: 200_000, ...options };
  }

  /** Reads that were not recorded since the start. */
  get dropped(): number {
    return this.#droppedEver;
  }

  /** Sequence and hash of the newest record; 0 and zeros of none. */
  get head(): { sequence: number; hash: string } {
    return this.#last;
  }

  async start(): Promise<void> {
    const [newest] = await this.#store.list(AUDIT_PREFIX, { limit: 1, reverse: true });
    if (newest !== undefined) this.#last = decodeRecord(newest.value);
    this.#timer = setInterval(() => void this.flush(), this.#options.flushIntervalMs);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.flush();
  }

  /** For a change and its denial: on disk when it resolves; when it rejects, the change must not happen. */
  record(entry: AuditEntry): Promise<void> {
    return this.#append([{ entry, atMs: this.#clock.nowMs() }], 'now');
  }

  /** For reads, and for what came of a change that `record` announced; never waits, may be dropped and counted. */
  note(entry: AuditEntry): void {
    if (this.#queued.length >= this.#options.maxQueuedReads) this.#drop(1);
    else this.#queued.push({ entry, atMs: this.#clock.nowMs() });
    if (this.#queued.length >= BATCH) void this.flush();
  }

  /** Resolves when all that waits now is stored, or was refused and counted. */
  flush(): Promise<void> {
    this.#flushing ??= this.#drain().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  /** Newest first. */
  async list(options: { limit: number; beforeSequence?: number }): Promise<AuditRecord[]> {
    const after = options.beforeSequence === undefined ? {} : { after: auditKey(options.beforeSequence) };
    const entries = await this.#store.list(AUDIT_PREFIX, { limit: options.limit, reverse: true, ...after });
    return entries.map(({ value }) => decodeRecord(value));
  }

  /** Those after a sequence, oldest first. */
  async after(sequence: number, limit: number): Promise<AuditRecord[]> {
    const entries = await this.#store.list(AUDIT_PREFIX, { limit, after: auditKey(sequence) });
    return entries.map(({ value }) => decodeRecord(value));
  }

  /** After each commit. */
  onAppend(listener: () => void): Disposable {
    return this.#appended.add(listener);
  }

  /** The whole chain, and heads that were told of it once; never holds up the loop for long. */
  verify(heads: readonly KeptHead[] = []): Promise<ChainVerdict> {
    return verifyChain(this.#store, { head: this.#last, heads, keepRecords: this.#options.keepRecords });
  }

  #drop(count: number): void {
    this.#dropped += count;
    this.#droppedEver += count;
  }

  async #drain(): Promise<void> {
    while (this.#queued.length > 0 || this.#dropped > 0) {
      const batch = this.#queued.splice(0, BATCH);
      const dropped = this.#queued.length === 0 ? this.#dropped : 0;
      this.#dropped -= dropped;
      const told = dropped === 0 ? batch : [...batch, { entry: lossOf(dropped), atMs: this.#clock.nowMs() }];
      try {
        await this.#append(told, 'soon');
      } catch (error) {
        this.#dropped += dropped;
        this.#drop(batch.length);
        this.#log.error({ err: error, dropped: this.#droppedEver }, 'audit of reads refused by the store');
        return;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #append(batch: readonly Noted[], durability: Durability): Promise<void> {
    const work = this.#turn.then(async () => {
      let last = this.#last;
      const put: { key: string; value: Uint8Array }[] = [];
      for (const { entry, atMs } of batch) {
        const { cell } = this.#options;
        const open = { sequence: last.sequence + 1, atMs, ...(cell === '' ? {} : { cell }), ...entry };
        const sealed = { ...open, previous: last.hash };
        const record: AuditRecord = { ...sealed, hash: seal(sealed) };
        put.push({ key: auditKey(record.sequence), value: encodeRecord(record) });
        last = record;
      }
      const first = this.#last.sequence + 1 - this.#options.keepRecords;
      const remove = put.map((_, index) => first + index).filter((sequence) => sequence > 0);
      await this.#store.commit({ put, remove: remove.map(auditKey) }, durability);
      this.#last = { sequence: last.sequence, hash: last.hash };
      this.#appended.emit();
    });
    this.#turn = work.catch(() => undefined);
    return work;
  }
}

const lossOf = (dropped: number): AuditEntry => ({
  actor: 'controller',
  verb: 'audit',
  target: 'reads',
  outcome: 'dropped',
  reason: `${dropped} records were not kept: more came than could be stored`,
});
