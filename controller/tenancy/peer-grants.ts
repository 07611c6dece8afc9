/**
 * What each peer was granted, as it stands at the moment of asking: read from the store's records, judged by the clock. Who
 * listens hears at once of what was added or revoked, and within a quarter of a second of what expired.
 */
import {
  type AgentPlace,
  compileGrants,
  type GrantSet,
  type GrantStatus,
  type GrantVerb,
  grantStatus,
  NO_GRANTS,
} from '../../src/domain/grant.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import type { GrantRecord, Records } from '../store/records.ts';

/** Of one peer. Held by its calls for as long as they live. */
export interface HeldGrants {
  readonly now: GrantSet;
  /** How what allowed this stands now; null where nothing ever did. */
  endOf(verb: GrantVerb, place: AgentPlace): 'expired' | 'revoked' | null;
  onChange(listener: () => void): Disposable;
}

const LOOK_MS = 250;

export class PeerGrants {
  readonly #records: Records;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #held = new Map<string, Held>();
  #watches = new DisposableStack();

  constructor(records: Records, clock: Pick<Clock, 'nowMs'>) {
    this.#records = records;
    this.#clock = clock;
  }

  start(): void {
    const { store, grants, peers } = this.#records;
    const look = (): void => this.#look();
    for (const prefix of [grants.keyOf(''), peers.keyOf('')]) this.#watches.use(store.watch(prefix, look));
    const timer = setInterval(look, LOOK_MS);
    this.#watches.defer(() => clearInterval(timer));
  }

  stop(): void {
    this.#watches.dispose();
    this.#watches = new DisposableStack();
  }

  of(cell: string): HeldGrants {
    const held = this.#held.get(cell) ?? new Held(cell, this.#records, this.#clock);
    this.#held.set(cell, held);
    return held;
  }

  #look(): void {
    for (const held of this.#held.values()) held.look();
  }
}

class Held implements HeldGrants {
  readonly #cell: string;
  readonly #records: Records;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #changed = new Listeners();
  #set: GrantSet = NO_GRANTS;
  /** Ids of those that were seen to be over, until their records say so. */
  readonly #expired = new Set<string>();
  /** Ids of those that are compiled. */
  #active = '';
  /** No clock that stands in between changes what is active. */
  #fromMs = 0;
  #untilMs = 0;

  constructor(cell: string, records: Records, clock: Pick<Clock, 'nowMs'>) {
    this.#cell = cell;
    this.#records = records;
    this.#clock = clock;
    this.look();
  }

  get now(): GrantSet {
    const nowMs = this.#clock.nowMs();
    if (nowMs < this.#fromMs || nowMs >= this.#untilMs) this.look();
    return this.#set;
  }

  look(): void {
    const active = this.#of('active');
    this.#fromMs = this.#clock.nowMs();
    this.#untilMs = Math.min(...active.map(({ expiresMs }) => expiresMs ?? Number.POSITIVE_INFINITY));
    // Terms never change: what is active is known by its ids.
    const ids = active.map(({ id }) => id).join();
    if (ids === this.#active) return;
    this.#active = ids;
    this.#set = compileGrants(active);
    // After whoever cuts a removed peer altogether: that is what it is to hear.
    queueMicrotask(() => this.#changed.emit());
  }

  endOf(verb: GrantVerb, place: AgentPlace): 'expired' | 'revoked' | null {
    const allowed = (status: GrantStatus): boolean => compileGrants(this.#of(status)).allows(verb, place);
    if (allowed('expired')) return 'expired';
    return allowed('revoked') ? 'revoked' : null;
  }

  onChange(listener: () => void): Disposable {
    return this.#changed.add(listener);
  }

  #of(status: GrantStatus): GrantRecord[] {
    const { grants, peers } = this.#records;
    const peer = peers.get(this.#cell)?.state;
    const nowMs = this.#clock.nowMs();
    const statusOf = (grant: GrantRecord): GrantStatus => {
      const now = grantStatus(grant, peer, nowMs);
      if (now === 'expired') this.#expired.add(grant.id);
      return now === 'active' && this.#expired.has(grant.id) ? 'expired' : now;
    };
    return [...grants.entries()]
      .map(([, grant]) => grant)
      .filter((grant) => grant.peer === this.#cell && statusOf(grant) === status);
  }
}
