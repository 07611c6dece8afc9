/**
 * One order while it runs: those who wait for it, its time, and how whatever stops it is told. It outlives its callers
 * from its first key on, and ends before that when all of them have left.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { OrderJournal } from './journal.ts';
import { HeldBy, OrderEnd } from './order-end.ts';
import type { OrderRun } from './order-run.ts';
import { PaneBusy } from './pane-lock.ts';

export interface RunningOrderOptions {
  id: string;
  /** What it is and who gave it, for others that wait for its turn. */
  owner: string;
  journal: Pick<OrderJournal, 'stage' | 'end'>;
  clock: Clock;
  timeoutMs: number;
  stopping: AbortSignal;
  /** Why the host does not allow it, as its policy is now; null: it does. */
  refusal: () => string | null;
  /** What was begun when the daemon stops is looked at by the next one, and gets no end here. */
  staysOpen?: boolean;
  /** Given from another cell. */
  isFederated: boolean;
  log: Logger;
}

const ANOTHER = 'another order or a takeover';

export class RunningOrder implements OrderRun {
  readonly #options: RunningOrderOptions;
  readonly #abandoned = new AbortController();
  readonly #late = new AbortController();
  readonly #done = Promise.withResolvers<void>();
  readonly signal: AbortSignal;
  readonly deadlineMono: number;
  #waiting = 0;
  /** From here on it is finished, whoever waits. */
  #isTyping = false;
  #isKeyed = false;

  constructor(options: RunningOrderOptions) {
    this.#options = options;
    this.deadlineMono = options.clock.monotonicMs() + options.timeoutMs;
    this.signal = AbortSignal.any([options.stopping, this.#late.signal, this.#abandoned.signal]);
  }

  get owner(): string {
    return this.#options.owner;
  }

  /** Resolves when its outcome is known and written as well as it can be. Never rejects. */
  get ended(): Promise<void> {
    return this.#done.promise;
  }

  /** Once. `act` says how it ended, by word or by throwing. */
  async run(act: (run: OrderRun) => Promise<OrderEnd>): Promise<void> {
    const { id, journal, log, timeoutMs } = this.#options;
    const timer = setTimeout(() => this.#late.abort(), timeoutMs);
    let end: OrderEnd;
    try {
      this.#refuse();
      end = await act(this);
    } catch (error) {
      end = this.#endOf(error);
    } finally {
      clearTimeout(timer);
    }
    if (this.#options.isFederated && end instanceof HeldBy) end = end.unnamed;
    const isLeftOpen = this.#options.staysOpen === true && this.#isTyping && this.#options.stopping.aborted;
    try {
      if (!isLeftOpen) await journal.end(id, end.outcome, end.reason);
    } catch (error) {
      log.error({ err: error, order: id }, 'outcome of an order could not be journalled');
    }
    this.#done.resolve();
  }

  /** Waits as one of its callers; when the last one leaves before it is typed, it ends. Rejects with CANCELLED when that caller leaves. */
  async join(caller: AbortSignal): Promise<void> {
    this.#waiting += 1;
    const left = Promise.withResolvers<never>();
    const leave = () => left.reject(new FleetError('CANCELLED', 'the caller left'));
    caller.addEventListener('abort', leave, { once: true });
    if (caller.aborted) leave();
    try {
      await Promise.race([this.ended, left.promise]);
    } finally {
      caller.removeEventListener('abort', leave);
      this.#waiting -= 1;
      if (this.#waiting === 0 && !this.#isTyping) this.#abandoned.abort();
    }
  }

  async typing(): Promise<void> {
    // Again: it may have waited long, and the host has the last word.
    this.#refuse();
    this.#isTyping = true;
    try {
      await this.#options.journal.stage(this.#options.id, 'typing');
    } catch (error) {
      const { code = 'unknown error' } = error as NodeJS.ErrnoException;
      throw new OrderEnd('refused', `it could not be journalled (${code})`);
    }
  }

  keyed(): void {
    this.#isKeyed = true;
  }

  async submitted(): Promise<void> {
    const { id, journal, log } = this.#options;
    try {
      await journal.stage(id, 'submitted');
    } catch (error) {
      log.error({ err: error, order: id }, 'stage of an order could not be journalled');
    }
  }

  #refuse(): void {
    const refusal = this.#options.refusal();
    if (refusal !== null) throw new OrderEnd('refused', refusal);
  }

  #endOf(error: unknown): OrderEnd {
    if (error instanceof OrderEnd) return error;
    if (!(error instanceof FleetError)) {
      this.#options.log.error({ err: error, order: this.#options.id }, 'order failed unexpectedly');
      return new OrderEnd(this.#isKeyed ? 'failed' : 'refused', 'it failed on its host: the log there says how');
    }
    if (this.#isKeyed)
      return new OrderEnd('unverifiable', `${this.#whyStopped() ?? error.message}, after it was typed`);
    if (this.#abandoned.signal.aborted) return new OrderEnd('refused', 'whoever gave it left before it was begun');
    if (error instanceof PaneBusy)
      return new HeldBy(error.holder || ANOTHER, 'types there', 'its pane did not come free: ');
    if (error.code === 'NOT_FOUND') return new OrderEnd('gone', 'its pane has ended');
    return new OrderEnd('refused', this.#whyStopped() ?? error.message);
  }

  #whyStopped(): string | null {
    if (this.#options.stopping.aborted) return 'the host-agent stopped';
    return this.#late.signal.aborted ? 'its time was over' : null;
  }
}
