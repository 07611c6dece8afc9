/**
 * Calls that have begun and not ended: each has a mark in the store, written and removed with its records, so that a run that
 * ended before its calls leaves behind which ones to close.
 */
import { type Store, scan } from '../store/store.ts';
import { type AuditEntry, type AuditKind, decodeRecord, placeOf } from './audit-record.ts';

const MARKS = 'audit-open/';

export interface LeftOpen {
  kind: AuditKind;
  entry: AuditEntry;
}

export interface Marks {
  put: { key: string; value: Uint8Array }[];
  remove: string[];
  /** Once they are stored. */
  settle(): void;
}

const begins = ({ outcome }: AuditEntry): boolean => outcome === 'began' || outcome === 'allowed';

/** Said of a change in whose midst something ended: nobody here knows whether it was made. */
export const unknownBecause = (why: string): string => `unknown: ${why}`;

export class OpenCalls {
  readonly #store: Store;
  readonly #open = new Set<string>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** What the run before left open, as it is to be closed. Of what began in a record that was let go since nothing is said. */
  async left(): Promise<LeftOpen[]> {
    const left: LeftOpen[] = [];
    for await (const { key, value } of scan(this.#store, MARKS)) {
      this.#open.add(key.slice(MARKS.length));
      const begun = Buffer.from(value).toString('utf8');
      const record = await this.#store.get(begun);
      const kind = placeOf(begun)?.kind;
      if (record === null || kind === undefined) await this.#store.commit({ remove: [key] }, 'soon');
      else left.push({ kind, entry: closing(decodeRecord(record.value)) });
    }
    return left;
  }

  has(call: string): boolean {
    return this.#open.has(call);
  }

  /** That go with these records, by the keys under which they are stored. */
  marks(records: readonly { key: string; entry: AuditEntry }[], forgotten: readonly string[] = []): Marks {
    const begun = new Map<string, string>();
    const ended = new Set(forgotten);
    for (const { key, entry } of records) {
      if (entry.call === undefined) continue;
      if (begins(entry)) begun.set(entry.call, key);
      else if (!begun.delete(entry.call)) ended.add(entry.call);
    }
    for (const call of forgotten) begun.delete(call);
    const over = [...ended].filter((call) => this.#open.has(call));
    return {
      put: [...begun].map(([call, key]) => ({ key: MARKS + call, value: Buffer.from(key, 'utf8') })),
      remove: over.map((call) => MARKS + call),
      settle: () => {
        for (const call of begun.keys()) this.#open.add(call);
        for (const call of over) this.#open.delete(call);
      },
    };
  }
}

const ENDED_FIRST = 'the controller ended first';

const closing = ({ outcome, ...begun }: AuditEntry): AuditEntry => {
  const { actor, onBehalfOf, actorTenantId, tenantId, hostAgent, agent, verb, target, call, body, order } = begun;
  const about = { actor, onBehalfOf, actorTenantId, tenantId, hostAgent, agent, verb, target, call, body, order };
  const known = Object.fromEntries(Object.entries(about).filter(([, value]) => value !== undefined));
  const reason = outcome === 'began' ? ENDED_FIRST : unknownBecause(ENDED_FIRST);
  return { ...(known as unknown as AuditEntry), outcome: 'ended', reason };
};
