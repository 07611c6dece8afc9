/**
 * How the line to one peer stands, since when and why, and when anything was heard over it.
 *
 *   connecting ──heard──▶ connected ──silent / closed──▶ resuming ──▶ lost ──heard──▶ connected
 *        └──────────────────────┴───told so by the peer──▶ revoked
 */
import { LINK_THRESHOLDS } from '../../src/domain/link.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';

export type PeerLinkState = 'connecting' | 'connected' | 'resuming' | 'lost' | 'revoked';

export interface PeerStanding {
  state: PeerLinkState;
  reason: string | null;
  sinceMono: number;
}

export class LineStanding {
  readonly #clock: Clock;
  readonly #changed = new Listeners();
  #now: PeerStanding;
  #lastHeardMono: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#now = { state: 'connecting', reason: null, sinceMono: clock.monotonicMs() };
  }

  get now(): PeerStanding {
    return this.#now;
  }

  get isConnected(): boolean {
    return this.#now.state === 'connected';
  }

  /** null: nothing ever came. */
  get lastHeardMono(): number | null {
    return this.#lastHeardMono;
  }

  /** Hears of each change. */
  onChange(listener: () => void): Disposable {
    return this.#changed.add(listener);
  }

  heard(): void {
    this.#lastHeardMono = this.#clock.monotonicMs();
  }

  move(state: PeerLinkState, reason: string | null): void {
    const { state: before, sinceMono } = this.#now;
    this.#now = { state, reason, sinceMono: before === state ? sinceMono : this.#clock.monotonicMs() };
    this.#changed.emit();
  }

  /** It ended, or could not be made. What the peer revoked stays so until it is heard again. */
  fell(reason: string): void {
    if (this.isConnected) this.move('resuming', reason);
    else if (this.#now.state !== 'revoked') this.#now = { ...this.#now, reason };
  }

  /** How lost what came over it is by now; null while it stands, and once it was revoked: then nothing of it is held. */
  age(): 'lost' | 'unconfirmed' | null {
    const { state, reason, sinceMono } = this.#now;
    if (state === 'connected' || state === 'revoked') return null;
    const isLost = this.#clock.monotonicMs() - (this.#lastHeardMono ?? sinceMono) >= LINK_THRESHOLDS.lostMs;
    if (isLost && state !== 'lost') this.move('lost', reason);
    return isLost ? 'lost' : 'unconfirmed';
  }
}
