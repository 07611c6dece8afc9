/**
 * How many refused changes of one caller are written down each for itself. Beyond them they are counted by verb, and one
 * record tells the counts: nobody pushes out of the audit what others did, nor hides what it tried among what is cheap.
 */
import type { Clock } from '../../src/runtime/clock.ts';
import type { AuditEntry } from './audit-record.ts';

export interface DenialLimits {
  /** Of denials, and as many of what failed before it began: one does not use up the other. */
  each: number;
  /** Denials of one verb that are written whatever else was denied. */
  ofVerb: number;
  windowMs: number;
}

/** One caller that tries every verb all day fills the audit of changes in four days, and not in an hour. */
const LIMITS: DenialLimits = { each: 100, ofVerb: 5, windowMs: 600_000 };

/** More than there are: verbs are the door's, callers invent none. */
const MAX_NAMED = 40;

interface Window {
  beganMono: number;
  beganMs: number;
  written: { denied: number; failed: number };
  deniedOfVerb: Map<string, number>;
  /** By verb. */
  counted: Map<string, number>;
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
    const { each, ofVerb } = this.#limits;
    const window = this.#windowOf(entry);
    const { verb } = entry;
    const kind = entry.outcome === 'failed' ? 'failed' : 'denied';
    const isRare = kind === 'denied' && (window.deniedOfVerb.get(verb) ?? 0) < ofVerb;
    if (window.written[kind] >= each && !isRare) {
      increase(window.counted, verb);
      return null;
    }
    window.written[kind]++;
    if (kind === 'denied') increase(window.deniedOfVerb, verb);
    if (window.written[kind] !== each) return entry;
    const rest = `${kind === 'denied' ? `beyond ${ofVerb} of a verb ` : ''}more of this caller are counted`;
    return { ...entry, reason: `${entry.reason}; number ${each} within ${this.#span}: ${rest}` };
  }

  /** Of whoever had some counted in a time that is over, or in any: a record. Each is told once. */
  take(isAll = false): AuditEntry[] {
    const told: AuditEntry[] = [];
    for (const [key, window] of this.#windows) {
      if (!isAll && !this.#isOver(window)) continue;
      this.#windows.delete(key);
      if (window.counted.size > 0) told.push(this.#summary(window));
    }
    return told;
  }

  #windowOf(entry: AuditEntry): Window {
    const key = this.#callerOf(entry);
    const held = this.#windows.get(key);
    // One that is over and still has something to say goes on until that was taken.
    if (held !== undefined && !(this.#isOver(held) && held.counted.size === 0)) {
      held.last = entry;
      return held;
    }
    const fresh: Window = {
      beganMono: this.#clock.monotonicMs(),
      beganMs: this.#clock.nowMs(),
      written: { denied: 0, failed: 0 },
      deniedOfVerb: new Map(),
      counted: new Map(),
      last: entry,
    };
    this.#windows.set(key, fresh);
    return fresh;
  }

  #isOver({ beganMono }: Window): boolean {
    return this.#clock.monotonicMs() - beganMono >= this.#limits.windowMs;
  }

  get #span(): string {
    return `${Math.round(this.#limits.windowMs / 60_000)} minutes`;
  }

  /** Whom the last one named, and which verbs were tried; a peer speaks for many tenants, and none is named. */
  #summary({ beganMs, counted, last }: Window): AuditEntry {
    const { actor, actorTenantId } = last;
    const [only, ...others] = counted.keys();
    const total = [...counted.values()].reduce((sum, count) => sum + count, 0);
    const isPeer = this.#callerOf(last) !== actor;
    return {
      actor,
      ...(actorTenantId === undefined || isPeer ? {} : { actorTenantId, tenantId: actorTenantId }),
      verb: only !== undefined && others.length === 0 ? only : 'changes',
      target: '',
      outcome: 'denied',
      reason: `and ${total} more refused changes of this caller since ${new Date(beganMs).toISOString()}: ${named(counted)}`,
    };
  }

  /** Another cell names its controllers as it likes: all of them are one caller. */
  #callerOf({ actor }: AuditEntry): string {
    const [, domain] = /^spiffe:\/\/([^/]+)\//.exec(actor) ?? [];
    return domain === undefined || domain === this.#cell ? actor : domain;
  }
}

const increase = (counts: Map<string, number>, verb: string): void => {
  counts.set(verb, (counts.get(verb) ?? 0) + 1);
};

/** `CreateToken 1, RemoveHost 2` */
const named = (counted: ReadonlyMap<string, number>): string => {
  const words = [...counted].map(([verb, count]) => `${verb.slice(verb.lastIndexOf('/') + 1)} ${count}`);
  const beyond = words.length - MAX_NAMED;
  return [...words.slice(0, MAX_NAMED), ...(beyond > 0 ? [`and ${beyond} other verbs`] : [])].join(', ');
};
