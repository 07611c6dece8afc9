/**
 * The chain in the store: each record sealed with the hash of the one before and of the newest change before. Of each kind
 * the oldest go above its bound: changes hang together without the reads between them.
 */
import type { Durability, Store } from '../store/store.ts';
import {
  AUDIT_KINDS,
  type AuditEntry,
  type AuditKind,
  type AuditRecord,
  auditKey,
  auditPrefix,
  countsOf,
  decodeRecord,
  encodeRecord,
  GENESIS,
  type Head,
  type Keep,
  seal,
} from './audit-record.ts';
import { letGo, listKept } from './kept-records.ts';
import { type LeftOpen, OpenCalls } from './open-calls.ts';

export interface Noted {
  kind: AuditKind;
  entry: AuditEntry;
  atMs: number;
}

interface End {
  last: Head;
  lastChange: Head;
  counts: Record<AuditKind, number>;
}

const BEGIN: Head = { sequence: 0, hash: GENESIS };
const headOf = ({ sequence, hash }: Head): Head => ({ sequence, hash });

export class AuditChain {
  readonly #store: Store;
  readonly #cell: string;
  readonly #keep: Keep;
  readonly #calls: OpenCalls;
  #end: End = { last: BEGIN, lastChange: BEGIN, counts: { change: 0, read: 0 } };
  readonly #gone: Record<AuditKind, number> = { change: 0, read: 0 };
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: Store, cell: string, keep: Keep) {
    this.#store = store;
    this.#cell = cell;
    this.#keep = keep;
    this.#calls = new OpenCalls(store);
  }

  get last(): Head {
    return this.#end.last;
  }

  get lastChange(): Head {
    return this.#end.lastChange;
  }

  /** Of each kind, since there is a chain. */
  get counts(): Readonly<Record<AuditKind, number>> {
    return this.#end.counts;
  }

  async start(): Promise<void> {
    const [newest] = await listKept(this.#store, { limit: 1, reverse: true });
    if (newest === undefined) return;
    const last = decodeRecord(newest.value);
    const counts = countsOf(last);
    const [change] = await this.#store.list(auditPrefix('change'), { limit: 1, reverse: true });
    const lastChange = change === undefined ? BEGIN : headOf(decodeRecord(change.value));
    this.#end = { last: headOf(last), lastChange, counts };
    for (const kind of AUDIT_KINDS) this.#gone[kind] = (await letGo(this.#store, kind))?.count ?? counts[kind];
  }

  /** Calls of the run before that have no end, as they are to be closed. */
  leftOpen(): Promise<LeftOpen[]> {
    return this.#calls.left();
  }

  /** Whether a call's beginning is stored and its end is not. */
  isOpen(call: string): boolean {
    return this.#calls.has(call);
  }

  /** One batch after the other. `forgotten`: calls whose end has no record. */
  append(batch: readonly Noted[], durability: Durability, forgotten: readonly string[] = []): Promise<void> {
    const work = this.#turn.then(() => this.#commit(batch, durability, forgotten));
    this.#turn = work.catch(() => undefined);
    return work;
  }

  async #commit(batch: readonly Noted[], durability: Durability, forgotten: readonly string[]): Promise<void> {
    let end = this.#end;
    const sealed = batch.map((noted) => {
      const record = this.#sealed(end, noted);
      const last = headOf(record);
      end = { last, lastChange: noted.kind === 'change' ? last : end.lastChange, counts: countsOf(record) };
      return { key: auditKey(noted.kind, record.sequence), value: encodeRecord(record), entry: noted.entry };
    });
    const over = await Promise.all(AUDIT_KINDS.map((kind) => this.#over(kind, end)));
    const marks = this.#calls.marks(sealed, forgotten);
    await this.#store.commit({ put: [...sealed, ...marks.put], remove: [...over.flat(), ...marks.remove] }, durability);
    marks.settle();
    this.#end = end;
    for (const [index, kind] of AUDIT_KINDS.entries()) this.#gone[kind] += over[index]?.length ?? 0;
  }

  #sealed({ last, lastChange, counts }: End, { kind, entry, atMs }: Noted): AuditRecord {
    const open = {
      sequence: last.sequence + 1,
      atMs,
      ...(this.#cell === '' ? {} : { cell: this.#cell }),
      ...entry,
      changes: counts.change + (kind === 'change' ? 1 : 0),
      lastChange: lastChange.hash,
      previous: last.hash,
    };
    return { ...open, hash: seal(open) };
  }

  async #over(kind: AuditKind, { counts }: End): Promise<string[]> {
    const limit = counts[kind] - this.#gone[kind] - this.#keep[kind];
    return limit <= 0 ? [] : (await this.#store.list(auditPrefix(kind), { limit })).map(({ key }) => key);
  }
}
