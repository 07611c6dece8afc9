/**
 * Connections that wait for their handshake: few at a time, the networks in turn and of each the oldest first, so that a
 * crowd is served one after the other instead of all of it too late. One that waited too long is let go.
 */
import type { Clock } from '../../src/runtime/clock.ts';

export interface TurnLimits {
  /** Begun in one turn of the loop: so little that those who are in already are not held up. */
  handshakesPerTurn: number;
  /** Begun and not finished: what a crowd has begun ends before more of it begins. */
  maxHandshakesAtOnce: number;
  /** One that takes longer is waited for no more; nobody holds up the others by being slow. */
  slowHandshakeMs: number;
  /** Less than a host-agent waits for its welcome (5 s): nothing is begun for one that has given up by then. */
  maxHandshakeWaitMs: number;
}

export interface TurnContext<T> {
  clock: Pick<Clock, 'monotonicMs'>;
  limits: TurnLimits;
  begin(one: T): void;
  letGo(one: T): void;
}

/** Those of one network. */
interface Source<T> {
  network: string | null;
  /** Oldest first. */
  waiting: Set<T>;
  begun: number;
}

/** Of what may be begun at once one network has so much while others wait. */
const SHARE = 1 / 8;

export class HandshakeTurns<T> {
  readonly #context: TurnContext<T>;
  readonly #maxOfOne: number;
  readonly #sources = new Map<string | null, Source<T>>();
  /** Those of whom some wait; whose turn it is comes first. */
  readonly #inTurn = new Set<Source<T>>();
  /** Both oldest first, by the moment it came, or began. */
  readonly #waiting = new Map<T, { source: Source<T>; cameMono: number }>();
  readonly #begun = new Map<T, { source: Source<T>; beganMono: number }>();
  #turn: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(context: TurnContext<T>) {
    this.#context = context;
    this.#maxOfOne = Math.max(1, Math.floor(context.limits.maxHandshakesAtOnce * SHARE));
  }

  /** `network` null: of this host, where many come from one address; they have no share that they may not exceed. */
  add(one: T, network: string | null): void {
    const source = this.#sources.get(network) ?? { network, waiting: new Set(), begun: 0 };
    this.#sources.set(network, source);
    this.#inTurn.add(source);
    source.waiting.add(one);
    this.#waiting.set(one, { source, cameMono: this.#context.clock.monotonicMs() });
    this.#nextTurn();
  }

  /** Its handshake is over, or it left by itself. */
  remove(one: T): void {
    this.#leave(one);
    this.#finish(one);
    this.#nextTurn();
  }

  stop(): void {
    for (const one of this.#waiting.keys()) this.#leave(one);
    this.#clearTurn();
  }

  #leave(one: T): void {
    const source = this.#waiting.get(one)?.source;
    if (source === undefined) return;
    this.#waiting.delete(one);
    source.waiting.delete(one);
    if (source.waiting.size === 0) this.#inTurn.delete(source);
    this.#forgetIfIdle(source);
  }

  #finish(one: T): void {
    const source = this.#begun.get(one)?.source;
    if (source === undefined) return;
    this.#begun.delete(one);
    source.begun--;
    this.#forgetIfIdle(source);
  }

  #forgetIfIdle({ network, waiting, begun }: Source<T>): void {
    if (waiting.size === 0 && begun === 0) this.#sources.delete(network);
  }

  /** Passes over those that have their share, which are few. */
  #next(): Source<T> | undefined {
    if (this.#begun.size >= this.#context.limits.maxHandshakesAtOnce) return undefined;
    for (const source of this.#inTurn) {
      if (source.network === null || source.begun < this.#maxOfOne || this.#inTurn.size === 1) return source;
    }
    return undefined;
  }

  #nextTurn(): void {
    if (this.#waiting.size === 0 || this.#turn !== null) return;
    if (this.#next() !== undefined) this.#turn = setImmediate(() => this.#take());
    else this.#timer ??= setTimeout(() => this.#take(), this.#untilSlowMs());
  }

  #untilSlowMs(): number {
    const { clock, limits } = this.#context;
    const [oldest] = this.#begun.values();
    const passedMs = oldest === undefined ? 0 : clock.monotonicMs() - oldest.beganMono;
    return Math.max(1, Math.ceil(limits.slowHandshakeMs - passedMs));
  }

  #clearTurn(): void {
    if (this.#turn !== null) clearImmediate(this.#turn);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#turn = null;
    this.#timer = null;
  }

  #take(): void {
    this.#clearTurn();
    const { clock, limits, letGo } = this.#context;
    const now = clock.monotonicMs();
    for (const [one, { beganMono }] of this.#begun) {
      if (now - beganMono < limits.slowHandshakeMs) break;
      this.#finish(one);
    }
    for (const [one, { cameMono }] of this.#waiting) {
      if (now - cameMono <= limits.maxHandshakeWaitMs) break;
      this.#leave(one);
      letGo(one);
    }
    for (let begun = 0; begun < limits.handshakesPerTurn; begun++) {
      const source = this.#next();
      if (source === undefined) break;
      this.#begin(source, now);
    }
    this.#nextTurn();
  }

  #begin(source: Source<T>, beganMono: number): void {
    const [one] = source.waiting;
    if (one === undefined) return;
    source.begun++;
    this.#begun.set(one, { source, beganMono });
    this.#leave(one);
    // Behind the others.
    if (this.#inTurn.delete(source)) this.#inTurn.add(source);
    this.#context.begin(one);
  }
}
