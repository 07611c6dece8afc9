/**
 * Connections that wait for their handshake: few at a time, oldest first, so that a crowd is served one after the other
 * instead of all of it too late. One that waited too long is let go: its client has given up by then, or tries again.
 */
import type { Clock } from '../../src/runtime/clock.ts';

export interface TurnLimits {
  /** Begun in one turn of the loop: so little that those who are in already are not held up. */
  handshakesPerTurn: number;
  /** Begun and not finished: what a crowd has begun ends before more of it begins. */
  maxHandshakesAtOnce: number;
  /** One that takes longer is waited for no more; nobody holds up the others by being slow. */
  slowHandshakeMs: number;
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
  /** Both oldest first, with the moment it came, or began. */
  readonly #waiting = new Map<T, number>();
  readonly #begun = new Map<T, number>();
  #turn: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(context: TurnContext<T>) {
    this.#context = context;
  }

  add(one: T): void {
    this.#waiting.set(one, this.#context.clock.monotonicMs());
    this.#nextTurn();
  }

  /** Its handshake is over, or it left by itself. */
  remove(one: T): void {
    this.#waiting.delete(one);
    if (this.#begun.delete(one)) this.#nextTurn();
  }

  stop(): void {
    this.#waiting.clear();
    this.#clearTurn();
  }

  #nextTurn(): void {
    if (this.#waiting.size === 0 || this.#turn !== null) return;
    const { maxHandshakesAtOnce, slowHandshakeMs } = this.#context.limits;
    if (this.#begun.size < maxHandshakesAtOnce) this.#turn = setImmediate(() => this.#take());
    else this.#timer ??= setTimeout(() => this.#take(), slowHandshakeMs);
  }

  #clearTurn(): void {
    if (this.#turn !== null) clearImmediate(this.#turn);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#turn = null;
    this.#timer = null;
  }

  #take(): void {
    this.#clearTurn();
    const { clock, limits, begin, letGo } = this.#context;
    const now = clock.monotonicMs();
    for (const [one, beganMono] of this.#begun) {
      if (now - beganMono < limits.slowHandshakeMs) break;
      this.#begun.delete(one);
    }
    let begun = 0;
    for (const [one, cameMono] of this.#waiting) {
      const isLate = now - cameMono > limits.maxHandshakeWaitMs;
      if (!isLate && (begun === limits.handshakesPerTurn || this.#begun.size >= limits.maxHandshakesAtOnce)) break;
      this.#waiting.delete(one);
      if (isLate) letGo(one);
      else {
        begun += 1;
        this.#begun.set(one, now);
        begin(one);
      }
    }
    this.#nextTurn();
  }
}
