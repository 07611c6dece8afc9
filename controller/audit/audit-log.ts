/**
 * Who did what: a chain of records in the store. Changes and their denials are on disk before `record` resolves, denials as
 * far as their caller's budget goes; reads wait in a bounded queue whose losses are recorded too.
 */
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Store } from '../store/store.ts';
import { AuditChain, type Noted } from './audit-chain.ts';
import {
  AUDIT_KINDS,
  type AuditEntry,
  type AuditKind,
  type AuditRecord,
  decodeRecord,
  type Head,
  type Keep,
} from './audit-record.ts';
import { DenialBudget, type DenialLimits } from './denial-budget.ts';
import { letGo, listKept, type Span } from './kept-records.ts';
import { type ChainVerdict, type KeptHead, verifyChain } from './verify-chain.ts';
import { WaitingRecords } from './waiting-records.ts';

export interface AuditOptions {
  cell?: string;
  maxQueuedReads?: number;
  maxQueuedChanges?: number;
  flushIntervalMs?: number;
  /** Older records than so many of their kind are let go. */
  keep?: Keep;
  denials?: DenialLimits;
}

/** Written in one go: short enough for nobody to wait for it. */
const BATCH = 100;
const DEFAULTS = {
  cell: '',
  maxQueuedReads: 5_000,
  maxQueuedChanges: 5_000,
  flushIntervalMs: 1_000,
  keep: { change: 200_000, read: 200_000 } as Keep,
};

export class AuditLog {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #options: Required<Omit<AuditOptions, 'denials'>>;
  readonly #denials: DenialBudget;
  readonly #chain: AuditChain;
  readonly #appended = new Listeners();
  /** Calls that were announced and have not ended. */
  readonly #announced = new Set<string>();
  readonly #waiting: WaitingRecords;
  /** By the store, what was last to be written. */
  #isRefused = false;
  #flushing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(store: Store, clock: Clock, log: Logger, options: AuditOptions = {}) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#options = { ...DEFAULTS, ...options };
    this.#denials = new DenialBudget(clock, this.#options.cell, options.denials);
    this.#chain = new AuditChain(store, this.#options.cell, this.#options.keep);
    const limits = { change: this.#options.maxQueuedChanges, read: this.#options.maxQueuedReads };
    this.#waiting = new WaitingRecords(limits, (call) => this.#chain.isOpen(call));
  }

  /** Records that were not kept since the start. */
  get dropped(): number {
    return this.#waiting.droppedEver;
  }

  /** Sequence and hash of the newest record; 0 and zeros of none. */
  get head(): Head {
    return this.#chain.last;
  }

  /** Of the newest change: whoever keeps it can prove every change before it for as long as that is kept here. */
  get lastChange(): Head {
    return this.#chain.lastChange;
  }

  async start(): Promise<void> {
    await this.#chain.start();
    this.#timer = setInterval(() => {
      for (const entry of this.#denials.take()) this.#queue('change', entry);
      void this.flush();
    }, this.#options.flushIntervalMs);
  }

  /** Calls in whose midst the run before ended are said to have ended with it; once, after `start`. Losing it costs nothing else. */
  async closeLeft(): Promise<void> {
    try {
      const left = await this.#chain.leftOpen();
      const atMs = this.#clock.nowMs();
      for (let at = 0; at < left.length; at += BATCH) {
        const batch = left.slice(at, at + BATCH).map((each) => ({ ...each, atMs }));
        await this.#chain.append(batch, 'soon');
        this.#appended.emit();
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (left.length > 0) this.#log.warn({ calls: left.length }, 'the run before ended in the midst of calls');
    } catch (error) {
      this.#log.error({ err: error }, 'calls that the run before left open could not be closed');
    }
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    for (const entry of this.#denials.take(true)) this.#queue('change', entry);
    await this.flush();
  }

  /**
   * For a change and its denial: on disk when it resolves, or counted where its caller is denied too often; when it rejects,
   * the change must not happen.
   */
  async record(given: AuditEntry): Promise<void> {
    const entry = this.#budgeted(given);
    if (entry === null) return;
    await this.#chain.append([{ kind: 'change', entry, atMs: this.#clock.nowMs() }], 'now');
    const { call, outcome } = entry;
    if (call !== undefined && (outcome === 'allowed' || outcome === 'began')) this.#announced.add(call);
    this.#appended.emit();
  }

  /** What came of a change that `record` announced, or that was refused before; never waits. */
  conclude(given: AuditEntry): void {
    const entry = this.#budgeted(given);
    if (entry !== null) this.#queue('change', entry);
  }

  /** For reads; never waits, may be dropped and counted. */
  note(entry: AuditEntry): void {
    this.#queue('read', entry);
  }

  /** Resolves when all that waits now is stored, or the store refuses it: then reads are counted, and changes wait on. */
  flush(): Promise<void> {
    this.#flushing ??= this.#drain().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  /** Newest first. */
  list(options: { limit: number; beforeSequence?: number }): Promise<AuditRecord[]> {
    const { limit, beforeSequence } = options;
    return this.#read({ limit, reverse: true, ...(beforeSequence === undefined ? {} : { beyond: beforeSequence }) });
  }

  /** Those after a sequence, oldest first. */
  after(sequence: number, limit: number): Promise<AuditRecord[]> {
    return this.#read({ limit, beyond: sequence });
  }

  /** Whoever was told up to here or later has missed nothing that was let go. */
  async floor(): Promise<number> {
    const gone = await Promise.all(AUDIT_KINDS.map((kind) => letGo(this.#store, kind)));
    return Math.max(0, ...gone.map((each) => (each === null || each.count === 0 ? 0 : each.before - 1)));
  }

  /** After each commit. */
  onAppend(listener: () => void): Disposable {
    return this.#appended.add(listener);
  }

  /** The whole chain, and heads that were told of it once; never holds up the loop for long. */
  verify(heads: readonly KeptHead[] = []): Promise<ChainVerdict> {
    return verifyChain(this.#store, { head: this.head, counts: this.#chain.counts, heads, keep: this.#options.keep });
  }

  async #read(span: Span): Promise<AuditRecord[]> {
    return (await listKept(this.#store, span)).map(({ value }) => decodeRecord(value));
  }

  /** null: counted. What was announced is always told to its end. */
  #budgeted(entry: AuditEntry): AuditEntry | null {
    const { call, outcome } = entry;
    if (call !== undefined && this.#announced.has(call)) {
      this.#announced.delete(call);
      return entry;
    }
    const isRefused = outcome === 'denied' || (outcome === 'failed' && call !== undefined);
    return isRefused ? this.#denials.judge(entry) : entry;
  }

  #queue(kind: AuditKind, entry: AuditEntry): void {
    this.#waiting.add({ kind, entry, atMs: this.#clock.nowMs() });
    // A store that refuses is asked again in time, not for each record.
    if (this.#waiting.length >= BATCH && !this.#isRefused) void this.flush();
  }

  async #drain(): Promise<void> {
    while (!this.#waiting.isEmpty) {
      const batch = this.#waiting.take(BATCH);
      const { records, dropped, forgotten } = batch;
      const loss: Noted = { kind: 'read', entry: lossOf(dropped), atMs: this.#clock.nowMs() };
      try {
        await this.#chain.append(dropped === 0 ? records : [...records, loss], 'soon', forgotten);
      } catch (error) {
        this.#isRefused = true;
        this.#waiting.refused(batch);
        this.#log.error({ err: error, dropped: this.dropped }, 'records of the audit refused by the store');
        return;
      }
      this.#isRefused = false;
      this.#waiting.written(batch);
      this.#appended.emit();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const lossOf = (dropped: number): AuditEntry => ({
  actor: 'controller',
  verb: 'audit',
  target: 'reads',
  outcome: 'dropped',
  reason: `${dropped} records were not kept: more came than could be stored`,
});
