/**
 * Takeovers in the journal of orders: who, which pane, from when to when, and why it ended. Never: what was typed; a
 * keyboard handed over before it is on disk that it is.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { ORDER_ID, type OrderOutcomeName } from '../../src/domain/order.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { OrderJournal } from './journal.ts';
import type { OrderStart } from './order-record.ts';

export interface TakeoverRecordsOptions {
  journal: Pick<OrderJournal, 'get' | 'digestOf' | 'received' | 'stage' | 'end' | 'forget'>;
  /** Rejects where the journal cannot be used. */
  ready: () => Promise<void>;
  /** Full, of the agent in that row; empty where there is none. */
  addressOf: (key: string) => string;
  log: Logger;
  /** Wall clock. */
  nowMs: () => number;
}

export type TakeoverStart = Pick<OrderStart, 'id' | 'key' | 'paneId' | 'panePid' | 'actor'>;

export class TakeoverRecords {
  readonly #options: TakeoverRecordsOptions;

  constructor(options: TakeoverRecordsOptions) {
    this.#options = options;
  }

  /**
   * Resolves when it is on disk. Where it rejects, nothing may be handed over: INVALID_ARGUMENT for what is no id,
   * ALREADY_EXISTS for one that was used, FAILED_PRECONDITION where it cannot be written.
   */
  async begin(start: TakeoverStart): Promise<void> {
    const { journal, ready, addressOf, nowMs } = this.#options;
    const { id, key, paneId, panePid } = start;
    if (!ORDER_ID.test(id)) {
      throw new FleetError('INVALID_ARGUMENT', 'a takeover needs an id of 1 to 128 of A-Z a-z 0-9 . _ : -');
    }
    await ready();
    if (journal.get(id)) throw new FleetError('ALREADY_EXISTS', 'another order has this id: nothing was handed over');
    const digest = journal.digestOf(['attach', key, paneId, panePid]);
    try {
      await journal.received({ ...start, verb: 'attach', address: addressOf(key), digest, beganMs: nowMs() });
      await journal.stage(id, 'typing');
    } catch (error) {
      journal.forget(id);
      const { code = 'unknown error' } = error as NodeJS.ErrnoException;
      const words = `the takeover could not be journalled (${code}): nothing was handed over`;
      throw new FleetError('FAILED_PRECONDITION', words);
    }
  }

  /** Never rejects: one whose end could not be written is `unknown` after a restart. */
  async end(id: string, outcome: OrderOutcomeName, reason: string): Promise<void> {
    const { journal, log } = this.#options;
    try {
      await journal.end(id, outcome, reason);
    } catch (error) {
      log.error({ err: error, order: id }, 'end of a takeover could not be journalled');
    }
  }
}
