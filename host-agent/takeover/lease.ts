/**
 * Who has the keyboard of which agent: at most one lease for each key. Memory only: a lease stands on a stream, and
 * ends with it. What has ended types nothing more, whatever is still under way.
 *
 *   held ──takeover by another──▶ displaced
 *     ├────no key for the idle limit──▶ expired
 *     ├────pane or session gone──▶ session_ended
 *     ├────policy changed──▶ policy
 *     └────stream ended, line broke──▶ left
 */
import { randomBytes } from 'node:crypto';
import { FleetError } from '../../src/domain/errors.ts';
import { parseSpiffeId } from '../../src/identity/spiffe-id.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';

export interface LeaseEnd {
  /** As in HoldEnded; `failed`: a key could not be typed; `left`: nobody listens any more. */
  reason: 'displaced' | 'expired' | 'session_ended' | 'policy' | 'failed' | 'left';
  detail: string;
}

export interface Holder {
  /** Of another cell. */
  federated: boolean;
  /** SPIFFE id, or local:USER. */
  actor: string;
  /** Short, for people. */
  name: string;
}

/** How one who types is named to another: to a caller of another cell by no name but those that its own cell gave. */
export const nameTo = (told: Holder, who: Holder): string =>
  told.federated && cellOf(told) !== cellOf(who) ? 'somebody' : who.name;

const cellOf = ({ actor }: Holder): string => parseSpiffeId(actor)?.cell ?? '';

export class Lease {
  readonly id = randomBytes(16).toString('hex');
  readonly key: string;
  readonly holder: Holder;
  readonly #ended = new AbortController();
  readonly #asked = new Listeners<[name: string]>();
  readonly #released = Promise.withResolvers<void>();
  readonly #clock: Clock;
  readonly #sinceMs: number;
  #lastKeyMono: number;
  #end: LeaseEnd | null = null;

  constructor(key: string, holder: Holder, clock: Clock) {
    this.key = key;
    this.holder = holder;
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
    this.#lastKeyMono = this.#sinceMs;
  }

  /** Aborts when the lease is over. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Why it is over; null while it is held. */
  get end(): LeaseEnd | null {
    return this.#end;
  }

  /** How long it is held. */
  get ageMs(): number {
    return this.#clock.monotonicMs() - this.#sinceMs;
  }

  /** Since the last key, or the begin. */
  get idleMs(): number {
    return this.#clock.monotonicMs() - this.#lastKeyMono;
  }

  /** Somebody who did not get the keyboard. */
  onAsked(listener: (name: string) => void): Disposable {
    return this.#asked.add(listener);
  }

  askedBy(who: Holder): void {
    this.#asked.emit(nameTo(this.holder, who));
  }

  /** Of the last key, or the begin, by the monotonic clock. */
  get lastKeyMono(): number {
    return this.#lastKeyMono;
  }

  keyTyped(): void {
    this.#lastKeyMono = this.#clock.monotonicMs();
  }

  /** Resolves when all that the holder changed is undone and nothing of it is still typed. */
  get released(): Promise<void> {
    return this.#released.promise;
  }

  markReleased(): void {
    this.#released.resolve();
  }

  /** The first word counts. */
  finish(end: LeaseEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#ended.abort();
  }
}

export class Leases {
  readonly #clock: Clock;
  readonly #held = new Map<string, Lease>();
  /** The newest of each agent until it gave back what it had: one that is over may still do so. */
  readonly #unreleased = new Map<string, Lease>();
  readonly #listeners = new Listeners();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The keyboard of this agent, whose it was a moment ago, and when what was lent to that one is given back. Throws FAILED_PRECONDITION (`busy`) when somebody else
   * has it and it is not taken over; the same person on another terminal is somebody else, too.
   */
  take(key: string, holder: Holder, takeover: boolean): { lease: Lease; before: Lease | null; free: Promise<void> } {
    const before = this.#held.get(key) ?? null;
    if (before !== null && !takeover) {
      before.askedBy(holder);
      const words = `busy: ${nameTo(holder, before.holder)} has typed here for ${ageWords(before.ageMs)}; --takeover displaces them`;
      throw new FleetError('FAILED_PRECONDITION', words);
    }
    const lease = new Lease(key, holder, this.#clock);
    this.#held.set(key, lease);
    const free = this.#unreleased.get(key)?.released ?? Promise.resolve();
    this.#unreleased.set(key, lease);
    void lease.released.then(() => {
      if (this.#unreleased.get(key) === lease) this.#unreleased.delete(key);
    });
    before?.finish({ reason: 'displaced', detail: `${nameTo(before.holder, holder)} took over` });
    lease.signal.addEventListener('abort', () => this.#forget(lease), { once: true });
    this.#listeners.emit();
    return { lease, before, free };
  }

  /** The current lease of that agent. */
  of(key: string): Lease | null {
    return this.#held.get(key) ?? null;
  }

  /** Name of whoever types into that agent; null where nobody does. */
  writer(key: string): string | null {
    return this.of(key)?.holder.name ?? null;
  }

  /** Somebody else types somewhere, or nobody any more. */
  onChange(listener: () => void): Disposable {
    return this.#listeners.add(listener);
  }

  #forget(lease: Lease): void {
    if (this.#held.get(lease.key) !== lease) return;
    this.#held.delete(lease.key);
    this.#listeners.emit();
  }
}

const ageWords = (ms: number): string => {
  const seconds = Math.floor(ms / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
};
