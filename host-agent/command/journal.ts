/**
 * What became of each order, on disk before its first key. Comes in: stages. Goes out: records by id, after any end of
 * the process. Never a text, a key or a prompt; never more than `maxOrders` (the oldest that are over are forgotten).
 */
import { createHmac, randomBytes } from 'node:crypto';
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { OrderOutcomeName } from '../../src/domain/order.ts';
import {
  applyLine,
  formatLine,
  type JournalLine,
  linesOf,
  newRecord,
  type OrderRecord,
  type OrderStage,
  type OrderStart,
  parseLine,
} from './order-record.ts';

export interface OrderJournalOptions {
  path: string;
  maxOrders: number;
  nowMs: () => number;
  /** Orders whose end can still be found out after a crash: they stay open. */
  staysOpen?: (verb: string) => boolean;
}

/** Lines for each order that is kept, before the file is written anew. */
const LINES_FOR_EACH = 8;
const SALT_BYTES = 32;

export class OrderJournal {
  readonly #options: OrderJournalOptions;
  readonly #records = new Map<string, OrderRecord>();
  #salt = '';
  #file: FileHandle | null = null;
  #lineCount = 0;
  /** Appends one after the other. */
  #last: Promise<void> = Promise.resolve();
  /** The file may end in half a line. */
  #isTorn = false;

  constructor(options: OrderJournalOptions) {
    this.#options = options;
  }

  /** Reads what there is; what was under way is settled. Rejects where the file cannot be read or written. */
  async start(): Promise<void> {
    const { path, nowMs, staysOpen } = this.#options;
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    for (const each of text.split('\n')) {
      const line = parseLine(each);
      if (line?.is === 'head') this.#salt = line.salt;
      else if (line !== null) applyLine(this.#records, line);
    }
    if (this.#salt === '') this.#salt = randomBytes(SALT_BYTES).toString('hex');
    for (const record of this.#records.values()) {
      if (record.outcome !== null) continue;
      // Nothing was typed, and whoever asked got no answer: it may be given again.
      if (record.stage === 'received') this.#records.delete(record.id);
      else if (!staysOpen?.(record.verb)) {
        const words = record.stage === 'typing' ? 'while it was typed' : 'after it was typed';
        Object.assign(record, { outcome: 'unknown', reason: `the host-agent ended ${words}`, endedMs: nowMs() });
      }
    }
    await this.#rewrite();
  }

  async stop(): Promise<void> {
    await this.#last.catch(() => undefined);
    await this.#file?.close();
    this.#file = null;
  }

  get(id: string): OrderRecord | undefined {
    return this.#records.get(id);
  }

  /** Begun, and not known to be over. */
  open(): OrderRecord[] {
    return [...this.#records.values()].filter(({ outcome }) => outcome === null);
  }

  /** At most so many, oldest first. */
  newest(count: number): OrderRecord[] {
    return [...this.#records.values()].slice(-count);
  }

  digestOf(request: readonly unknown[]): string {
    return createHmac('sha256', this.#salt).update(JSON.stringify(request)).digest('hex');
  }

  /** In memory at once, so that a second call finds it; on disk with the next stage at the latest. */
  received(start: OrderStart): Promise<void> {
    this.#records.set(start.id, newRecord(start));
    this.#forgetOldest();
    return this.#append([{ is: 'order', ...start }], false);
  }

  /** Resolves when it is on disk; where it rejects, nothing may be typed. */
  async stage(id: string, stage: OrderStage): Promise<void> {
    await this.#append([{ is: 'stage', id, stage }], true);
    const record = this.#records.get(id);
    if (record) record.stage = stage;
  }

  /** In memory in any case. Rejects when it could not be written: after a restart it is then not known. */
  async end(id: string, outcome: OrderOutcomeName, reason: string): Promise<OrderRecord> {
    const record = this.#records.get(id) as OrderRecord;
    Object.assign(record, { outcome, reason, endedMs: this.#options.nowMs() });
    await this.#append([{ is: 'end', id, outcome, reason, endedMs: record.endedMs }], true);
    return record;
  }

  /** As if it had never been received; only while nothing was typed. */
  forget(id: string): void {
    this.#records.delete(id);
  }

  #append(lines: readonly JournalLine[], durable: boolean): Promise<void> {
    const next = this.#last
      .catch(() => undefined)
      .then(async () => {
        if (this.#lineCount > this.#options.maxOrders * LINES_FOR_EACH) await this.#rewrite();
        const file = this.#file;
        if (file === null) throw new Error('the journal is closed');
        const text = `${this.#isTorn ? '\n' : ''}${lines.map(formatLine).join('')}`;
        this.#isTorn = true;
        await file.appendFile(text);
        this.#isTorn = false;
        this.#lineCount += lines.length;
        if (durable) await file.datasync();
      });
    this.#last = next;
    next.catch(() => undefined);
    return next;
  }

  /** A whole new file beside the old one, which it replaces only when it is on disk. */
  async #rewrite(): Promise<void> {
    const { path } = this.#options;
    const lines: JournalLine[] = [{ is: 'head', version: 1, salt: this.#salt }];
    for (const record of this.#records.values()) lines.push(...linesOf(record));
    const fresh = await open(`${path}.new`, 'w', 0o600);
    try {
      await fresh.chmod(0o600);
      await fresh.writeFile(lines.map(formatLine).join(''));
      await fresh.sync();
    } finally {
      await fresh.close();
    }
    await rename(`${path}.new`, path);
    const folder = await open(dirname(path), 'r');
    await folder.sync().finally(() => folder.close());
    const before = this.#file;
    this.#file = await open(path, 'a', 0o600);
    await before?.close();
    this.#lineCount = lines.length;
    this.#isTorn = false;
  }

  #forgetOldest(): void {
    for (const record of this.#records.values()) {
      if (this.#records.size <= this.#options.maxOrders) return;
      if (record.outcome !== null) this.#records.delete(record.id);
    }
  }
}
