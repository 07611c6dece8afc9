/**
 * Who did what: a chain of records in the store, each sealed with the hash of the one before. Changes and their
 * denials are on disk before `record` resolves; reads wait in a bounded queue whose losses are recorded too.
 */
import { createHash } from 'node:crypto';
import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Durability, Store } from '../store/store.ts';

export interface AuditEntry {
  actor: string;
  verb: string;
  target: string;
  /** allowed and denied come before the effect; done and failed after it. */
  outcome: 'allowed' | 'denied' | 'done' | 'failed' | 'dropped';
  reason: string;
}

export interface AuditRecord extends AuditEntry {
  sequence: number;
  atMs: number;
  /** Hash of the record before; the first one's is all zeros. */
  previous: string;
  hash: string;
}

export interface AuditOptions {
  maxQueuedReads?: number;
  flushIntervalMs?: number;
  /** Older records than this many are let go. */
  keepRecords?: number;
}

const PREFIX = 'audit/';
const GENESIS = '0'.repeat(64);
const keyOf = (sequence: number): string => PREFIX + String(sequence).padStart(16, '0');

const seal = (record: Omit<AuditRecord, 'hash'>): string => {
  const { previous, sequence, atMs, actor, verb, target, outcome, reason } = record;
  const text = JSON.stringify([previous, sequence, atMs, actor, verb, target, outcome, reason]);
  return createHash('sha256').update(text).digest('hex');
};

const decode = (value: Uint8Array): AuditRecord => JSON.parse(Buffer.from(value).toString('utf8')) as AuditRecord;

export class AuditLog {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #options: Required<AuditOptions>;
  #last = { sequence: 0, hash: GENESIS };
  #queued: { entry: AuditEntry; atMs: number }[] = [];
  #dropped = 0;
  #droppedEver = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;

  constructor(store: Store, clock: Clock, log: Logger, options: AuditOptions = {}) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#options = { maxQueuedReads: 1_000, flushIntervalMs: 1_000, keepRecords: 200_000, ...options };
  }

  /** Reads that were not recorded since the start. */
  get dropped(): number {
    return this.#droppedEver;
  }

  async start(): Promise<void> {
    const [newest] = await this.#store.list(PREFIX, { limit: 1, reverse: true });
    if (newest !== undefined) this.#last = decode(newest.value);
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
  }

  async flush(): Promise<void> {
    const batch = this.#queued;
    const dropped = this.#dropped;
    if (batch.length === 0 && dropped === 0) return;
    this.#queued = [];
    this.#dropped = 0;
    if (dropped > 0) {
      const reason = `${dropped} records were not kept: more came than could be stored`;
      const entry: AuditEntry = { actor: 'controller', verb: 'audit', target: 'reads', outcome: 'dropped', reason };
      batch.push({ entry, atMs: this.#clock.nowMs() });
    }
    try {
      await this.#append(batch, 'soon');
    } catch (error) {
      this.#dropped += dropped;
      this.#drop(batch.length - (dropped > 0 ? 1 : 0));
      this.#log.error({ err: error, dropped: this.#droppedEver }, 'audit of reads refused by the store');
    }
  }

  /** Newest first. */
  async list(options: { limit: number; beforeSequence?: number }): Promise<AuditRecord[]> {
    const after = options.beforeSequence === undefined ? {} : { after: keyOf(options.beforeSequence) };
    const entries = await this.#store.list(PREFIX, { limit: options.limit, reverse: true, ...after });
    return entries.map(({ value }) => decode(value));
  }

  /** DATA_LOSS naming the first record that was changed, or whose predecessor is missing. */
  async verify(): Promise<{ records: number }> {
    let records = 0;
    let previous: AuditRecord | null = null;
    for (let after: string | undefined; ; ) {
      const page = await this.#store.list(PREFIX, { limit: 500, ...(after === undefined ? {} : { after }) });
      for (const { value } of page) {
        const record = decode(value);
        const linked =
          previous === null || (record.previous === previous.hash && record.sequence === previous.sequence + 1);
        if (!linked || record.hash !== seal(record)) {
          throw new FleetError('DATA_LOSS', `audit record ${record.sequence} was altered, or one before it is missing`);
        }
        previous = record;
        records++;
      }
      after = page.at(-1)?.key;
      if (page.length < 500) break;
    }
    if (records > 0 && previous?.hash !== this.#last.hash) {
      throw new FleetError('DATA_LOSS', `audit records after ${previous?.sequence} are missing`);
    }
    return { records };
  }

  #drop(count: number): void {
    this.#dropped += count;
    this.#droppedEver += count;
  }

  #append(batch: readonly { entry: AuditEntry; atMs: number }[], durability: Durability): Promise<void> {
    const work = this.#turn.then(async () => {
      let last = this.#last;
      const put: { key: string; value: Uint8Array }[] = [];
      for (const { entry, atMs } of batch) {
        const open = { sequence: last.sequence + 1, atMs, ...entry, previous: last.hash };
        const record: AuditRecord = { ...open, hash: seal(open) };
        put.push({ key: keyOf(record.sequence), value: Buffer.from(JSON.stringify(record), 'utf8') });
        last = record;
      }
      const first = this.#last.sequence + 1 - this.#options.keepRecords;
      const remove = put.map((_, index) => first + index).filter((sequence) => sequence > 0);
      await this.#store.commit({ put, remove: remove.map(keyOf) }, durability);
      this.#last = last;
    });
    this.#turn = work.catch(() => undefined);
    return work;
  }
}
