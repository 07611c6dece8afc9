/**
 * How many refused changes of one caller are written down each for itself. Beyond them they are counted, and one record says
 * how many there were: whoever may do nothing must not push out of the audit what others did.
 */
import type { Clock } from '../../src/runtime/clock.ts';
import type { AuditEntry } from './audit-record.ts';

export interface DenialLimits {
  each: number;
  windowMs: number;
}

/** One caller that tries all day fills the audit of changes in two weeks, and not in an hour. */
const LIMITS: DenialLimits = { each: 100, windowMs: 600_000 };

interface Window {
  beganMono: number;
  beganMs: number;
  written: number;
  counted: number;
  last: AuditEntry;
}

export class DenialBudget {
  readonly #clock: Clock;
  readonly #cell: string;
  readonly #limits: DenialLimits;
  readonly #windows = new Map<string, Window>();

  /** `cell`: whose own callers are told apart by name. */
  constructor(clock: Clock, cell: string, limits: DenialLimits = LIMITS) {
    this.#clock = clock;
    this.#cell = cell;
    this.#limits = limits;
  }

  /** What is to be written; null: it was counted. The last one for now says that more are only counted. */
  judge(entry: AuditEntry): AuditEntry | null {
    const { each } = this.#limits;
    const nowMono = this.#clock.monotonicMs();
    const key = this.#callerOf(entry);
    const held = this.#windows.get(key);
    const fresh = { beganMono: nowMono, beganMs: this.#clock.nowMs(), written: 0, counted: 0, last: entry };
    // One that is over and still has something to say goes on until that was taken.
    const window = held === undefined || (this.#isOver(held) && held.counted === 0) ? fresh : held;
    this.#windows.set(key, window);
    window.last = entry;
    if (window.written >= each) {
      window.counted++;
      return null;
    }
    window.written++;
    if (window.written < each) return entry;
    return {
      ...entry,
      reason: `${entry.reason}; number ${each} within ${this.#span}: more of this caller are counted`,
    };
  }

  /** Of whoever had some counted in a time that is over, or in any: a record. Each is told once. */
  take(isAll = false): AuditEntry[] {
    const told: AuditEntry[] = [];
    for (const [key, window] of this.#windows) {
      if (!isAll && !this.#isOver(window)) continue;
      this.#windows.delete(key);
      if (window.counted > 0) told.push(this.#summary(window));
    }
    return told;
  }

  #isOver({ beganMono }: Window): boolean {
    return this.#clock.monotonicMs() - beganMono >= this.#limits.windowMs;
  }

  get #span(): string {
    return `${Math.round(this.#limits.windowMs / 60_000)} minutes`;
  }

  /** Whom the last one named, and nothing of what was tried. */
  #summary({ beganMs, counted, last }: Window): AuditEntry {
    const { actor, actorTenantId, verb } = last;
    return {
      actor,
      ...(actorTenantId === undefined ? {} : { actorTenantId, tenantId: actorTenantId }),
      verb,
      target: '',
      outcome: 'denied',
      reason: `and ${counted} more refused changes of this caller since ${new Date(beganMs).toISOString()}`,
    };
  }

  /** Another cell names its controllers as it likes: all of them are one caller. */
  #callerOf({ actor }: AuditEntry): string {
    const [, domain] = /^spiffe:\/\/([^/]+)\//.exec(actor) ?? [];
    return domain === undefined || domain === this.#cell ? actor : domain;
  }
}
