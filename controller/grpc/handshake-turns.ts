/**
 * Connections that wait for their handshake: each turn of the loop begins a few, oldest first, so that a crowd is served one
 * after the other instead of all of it too late. One that waited too long is let go: its client has given up, or tries again.
 */
import type { Clock } from '../../src/runtime/clock.ts';

export interface TurnLimits {
  /** Begun in one turn: so little that those who are in already are not held up. */
  handshakesPerTurn: number;
  /** Less than a host-agent waits for its welcome (5 s): nothing is begun for one that is gone by then. */
  maxHandshakeWaitMs: number;
}

export interface TurnContext<T> {
  clock: Pick<Clock, 'monotonicMs'>;
  limits: TurnLimits;
  begin(one: T): void;
  letGo(one: T): void;
}

export class HandshakeTurns<T> {
  readonly #context: TurnContext<T>;
  /** Oldest first, with the moment it came. */
  readonly #waiting = new Map<T, number>();
  #turn: NodeJS.Immediate | null = null;

  constructor(context: TurnContext<T>) {
    this.#context = context;
  }

  add(one: T): void {
    this.#waiting.set(one, this.#context.clock.monotonicMs());
    this.#nextTurn();
  }

  /** It left by itself. */
  remove(one: T): void {
    this.#waiting.delete(one);
  }

  stop(): void {
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#turn = null;
    this.#waiting.clear();
  }

  #nextTurn(): void {
    if (this.#turn === null && this.#waiting.size > 0) this.#turn = setImmediate(() => this.#take());
  }

  #take(): void {
    this.#turn = null;
    const { clock, limits, begin, letGo } = this.#context;
    const now = clock.monotonicMs();
    let begun = 0;
    for (const [one, cameMono] of this.#waiting) {
      if (begun === limits.handshakesPerTurn) break;
      this.#waiting.delete(one);
      if (now - cameMono > limits.maxHandshakeWaitMs) letGo(one);
      else {
        begun += 1;
        begin(one);
      }
    }
    this.#nextTurn();
  }
}
