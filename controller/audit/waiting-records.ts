/**
 * Records that wait to be written, bounded by kind: what does not fit is counted. Where the store refuses a batch, what came
 * of changes waits on; reads are lost, and no beginning of theirs is left open for it.
 */
import type { Noted } from './audit-chain.ts';
import type { AuditKind } from './audit-record.ts';

export interface Batch {
  records: readonly Noted[];
  /** Calls whose ends are lost, and whose beginnings are stored or among these. */
  forgotten: readonly string[];
  /** To be told with this one: records that were lost. */
  dropped: number;
}

export class WaitingRecords {
  readonly #limits: Readonly<Record<AuditKind, number>>;
  readonly #isOpen: (call: string) => boolean;
  readonly #counts: Record<AuditKind, number> = { change: 0, read: 0 };
  #records: Noted[] = [];
  /** Reads whose beginning waits or is being written. */
  readonly #beginning = new Set<string>();
  /** No more than begin here or are open in the store. */
  readonly #forgotten = new Set<string>();
  #dropped = 0;
  #droppedEver = 0;

  /** `isOpen`: whether the store has a call's beginning and not its end. */
  constructor(limits: Readonly<Record<AuditKind, number>>, isOpen: (call: string) => boolean) {
    this.#limits = limits;
    this.#isOpen = isOpen;
  }

  get length(): number {
    return this.#records.length;
  }

  get droppedEver(): number {
    return this.#droppedEver;
  }

  get isEmpty(): boolean {
    return this.#records.length === 0 && this.#dropped === 0;
  }

  add(noted: Noted): void {
    if (this.#counts[noted.kind] >= this.#limits[noted.kind]) {
      this.#lose(noted);
      return;
    }
    const begun = beginningOf(noted);
    if (begun !== null) this.#beginning.add(begun);
    this.#counts[noted.kind]++;
    this.#records.push(noted);
  }

  /** Each goes on with `written` or `refused`, before the next. */
  take(limit: number): Batch {
    const records = this.#records.splice(0, limit);
    for (const { kind } of records) this.#counts[kind]--;
    const begun = new Set(records.map(beginningOf));
    const forgotten = [...this.#forgotten].filter((call) => !this.#beginning.has(call) || begun.has(call));
    for (const call of forgotten) this.#forgotten.delete(call);
    const dropped = this.#records.length === 0 ? this.#dropped : 0;
    this.#dropped -= dropped;
    return { records, forgotten, dropped };
  }

  written({ records }: Batch): void {
    for (const noted of records) this.#beginning.delete(beginningOf(noted) ?? '');
  }

  refused({ records, forgotten, dropped }: Batch): void {
    this.#dropped += dropped;
    for (const call of forgotten) if (this.#isOpen(call)) this.#forgotten.add(call);
    const changes = records.filter(({ kind }) => kind === 'change');
    const kept = changes.slice(0, Math.max(0, this.#limits.change - this.#counts.change));
    this.#counts.change += kept.length;
    this.#records = [...kept, ...this.#records];
    for (const noted of [...changes.slice(kept.length), ...records.filter(({ kind }) => kind === 'read')]) {
      this.#lose(noted);
    }
  }

  #lose(noted: Noted): void {
    this.#dropped++;
    this.#droppedEver++;
    const { kind, entry } = noted;
    if (kind === 'change' || entry.call === undefined) return;
    if (beginningOf(noted) !== null) {
      this.#beginning.delete(entry.call);
      this.#forgotten.delete(entry.call);
    } else if (this.#beginning.has(entry.call) || this.#isOpen(entry.call)) this.#forgotten.add(entry.call);
  }
}

const beginningOf = ({ entry: { call, outcome } }: Noted): string | null =>
  outcome === 'began' && call !== undefined ? call : null;
