/**
 * The intent of each host-agent as it is stored: at most one, with how far it went. Whoever changes it names which one, so
 * that nothing is written over one that took its place.
 *
 * waiting ─▶ done | stopped | expired; withdrawn from any of them but done.
 */
import type { IntentStateName } from '../../src/domain/intent.ts';
import { PutIntentRequest } from '../../src/wire/gen/fleet/v1/intent.ts';
import type { IntentRecord, IntentStepRecord, Records } from '../store/records.ts';
import { type IntentOrder, orderOfStep } from './check-intent.ts';

const ORDERS = 'intent-orders/';

export type IntentEnd = Exclude<IntentStateName, 'waiting' | 'running'>;

export class Intents {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  get(hostAgent: string): IntentRecord | undefined {
    return this.#records.intents.get(hostAgent);
  }

  /** The one that is not over; with an id only if it is that one. */
  waiting(hostAgent: string, id?: string): IntentRecord | undefined {
    const held = this.get(hostAgent);
    return held?.state === 'waiting' && (id === undefined || held.id === id) ? held : undefined;
  }

  *allWaiting(): Generator<[hostAgent: string, intent: IntentRecord]> {
    for (const entry of this.#records.intents.entries()) if (entry[1].state === 'waiting') yield entry;
  }

  /** On disk when it resolves; false: another came in between. */
  async put(hostAgent: string, intent: IntentRecord, orders: Uint8Array): Promise<boolean> {
    const { store, intents } = this.#records;
    const put = [intents.writing(hostAgent, intent), { key: ORDERS + hostAgent, value: orders }];
    return (await store.commit({ expect: [intents.expectation(hostAgent)], put })) !== null;
  }

  /** Of the one that waits; null when that is another by now. */
  async orders(hostAgent: string, id: string): Promise<IntentOrder[] | null> {
    const entry = await this.#records.store.get(ORDERS + hostAgent);
    if (entry === null || this.waiting(hostAgent, id) === undefined) return null;
    return PutIntentRequest.decode(entry.value).steps.flatMap((step) => orderOfStep(step) ?? []);
  }

  /** What became of a step; false: the intent is over, or another by now. Lost with the power, it is asked for again. */
  async told(
    hostAgent: string,
    id: string,
    index: number,
    told: Pick<IntentStepRecord, 'outcome' | 'reason' | 'endedMs'>,
  ): Promise<boolean> {
    const held = this.waiting(hostAgent, id);
    if (held === undefined) return false;
    const steps = held.steps.map((step, at) => (at === index ? { ...step, ...told } : step));
    return await this.#replace(hostAgent, { ...held, steps });
  }

  /** Its orders go with it. False: it is another by now, or done. */
  async end(hostAgent: string, id: string, state: IntentEnd, reason: string, endedMs: number): Promise<boolean> {
    const held = this.get(hostAgent);
    const may = held?.id === id && (held.state === 'waiting' || (state === 'withdrawn' && held.state !== 'done'));
    return may && (await this.#replace(hostAgent, { ...held, state, reason, endedMs }));
  }

  async forget(hostAgent: string): Promise<void> {
    const { store, intents } = this.#records;
    await store.commit({ remove: [intents.keyOf(hostAgent), ORDERS + hostAgent] });
  }

  async #replace(hostAgent: string, next: IntentRecord): Promise<boolean> {
    const { store, intents } = this.#records;
    const isOver = next.state !== 'waiting';
    const change = {
      expect: [intents.expectation(hostAgent)],
      put: [intents.writing(hostAgent, next)],
      remove: isOver ? [ORDERS + hostAgent] : [],
    };
    return (await store.commit(change, isOver ? 'now' : 'soon')) !== null;
  }
}
