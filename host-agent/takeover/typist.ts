/**
 * In: numbered batches of strokes of one lease. Out: each typed once, in order. Never: a batch after one that failed or
 * after the lease has ended; how much of a failed one was typed is not known, so it ends the lease.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { KeyStroke } from '../../src/domain/key-stroke.ts';
import type { Lease } from './lease.ts';

/** Puts strokes into the pane's input; rejects with NOT_FOUND when the pane is gone. */
export interface StrokeLine {
  type(strokes: readonly KeyStroke[], signal: AbortSignal): Promise<void>;
}

/** Batches that a caller may have sent ahead of the answers. */
const MAX_UNDER_WAY = 32;

export class Typist {
  readonly #lease: Lease;
  readonly #line: StrokeLine;
  #last: { sequence: bigint; done: Promise<void> } = { sequence: 0n, done: Promise.resolve() };
  #underWay = 0;

  constructor(lease: Lease, line: StrokeLine) {
    this.#lease = lease;
    this.#line = line;
  }

  /** Resolves when typed; the last one again is answered without typing. Throws FAILED_PRECONDITION for a gap. */
  type(sequence: bigint, strokes: readonly KeyStroke[]): Promise<void> {
    const { sequence: last, done: before } = this.#last;
    if (sequence === last && last > 0n) return before;
    if (sequence !== last + 1n) {
      const words = `keys ${sequence} came after keys ${last}: nothing was typed`;
      return Promise.reject(new FleetError('FAILED_PRECONDITION', words));
    }
    if (this.#underWay >= MAX_UNDER_WAY) {
      const words = `${MAX_UNDER_WAY} batches of keys are under way: wait for an answer`;
      return Promise.reject(new FleetError('RESOURCE_EXHAUSTED', words, { retryable: true }));
    }
    this.#underWay += 1;
    const done = before
      .then(() => this.#typeNow(strokes))
      .finally(() => {
        this.#underWay -= 1;
      });
    done.catch(() => undefined);
    this.#last = { sequence, done };
    return done;
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#last.done.catch(() => undefined);
  }

  async #typeNow(strokes: readonly KeyStroke[]): Promise<void> {
    const { signal } = this.#lease;
    if (signal.aborted) throw new FleetError('FAILED_PRECONDITION', 'the takeover has ended: nothing was typed');
    this.#lease.keyTyped();
    try {
      await this.#line.type(strokes, signal);
    } catch (error) {
      const { code, message } = error as FleetError;
      this.#lease.finish({ reason: code === 'NOT_FOUND' ? 'session_ended' : 'failed', detail: message });
      throw error;
    }
  }
}
