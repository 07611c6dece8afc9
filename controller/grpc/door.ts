/**
 * The one door: every call passes `admit` (who is it, may it) and, for a change, `announce` (written down) before
 * anything acts. What was let in stays known, and is cut when its identity no longer stands.
 */
import { BugError, FleetError } from '../../src/domain/errors.ts';
import type { Caller } from '../tenancy/caller.ts';
import { spokenFor } from '../tenancy/on-behalf-of.ts';
import { inQuarantine } from '../tenancy/quarantine.ts';
import type { Subject } from '../tenancy/subject.ts';
import { ACCESS, type AccessRule, HELD_BACK, objectionTo } from './access.ts';
import type { Admission, CallEnd, Transport } from './admission.ts';
import { CallAudit, type CallAuditContext, reasonOf } from './call-audit.ts';
import { CallShares } from './call-shares.ts';
import { identify } from './identify.ts';
import { OpenCalls, type OpenCallsContext } from './open-calls.ts';
import { Refusal } from './refusal.ts';

export interface DoorContext extends CallAuditContext, OpenCallsContext {
  rules?: ReadonlyMap<string, AccessRule>;
}

export class Door {
  readonly #context: DoorContext;
  readonly #rules: ReadonlyMap<string, AccessRule>;
  readonly #calls: OpenCalls;
  readonly #audit: CallAudit;
  readonly #shares = new CallShares();
  /** By SPIFFE id, since the start: when its newest call began or ended. */
  readonly #lastSeenMs = new Map<string, number>();
  #isStopping = false;

  constructor(context: DoorContext) {
    this.#context = context;
    this.#rules = context.rules ?? ACCESS;
    this.#calls = new OpenCalls(context);
    this.#audit = new CallAudit(context);
  }

  /** `onChanged` hears at once of identities whose connections should be judged again; of a peer, of its whole domain. */
  start(onChanged: (spiffeId: string) => void): void {
    this.#calls.start(onChanged);
  }

  stop(): void {
    this.#isStopping = true;
    this.#calls.stop();
  }

  /** BugError unless every method of a service has a row; called before a service is served. */
  requireRules(paths: readonly string[]): void {
    const missing = paths.filter((path) => !this.#rules.has(path));
    if (missing.length > 0) throw new BugError(`no access rule for ${missing.join(', ')}`);
  }

  /**
   * Authenticates and authorises, from memory. Throws Refusal; the detail is in the log. `behalf` is what the call says of
   * whom it is made for, encoded; null where it says nothing.
   */
  admit(path: string, transport: Transport, behalf: Uint8Array | null = null): Admission {
    if (this.#isStopping) throw new Refusal('UNAVAILABLE', 'controller_stopping');
    const { caller, refusal, reason } = identify(transport, this.#context);
    const rule = this.#rules.get(path);
    const why = objectionTo(rule, caller);
    if (rule === undefined || why !== null) {
      this.#audit.refused(path, rule, caller, `${why}${refusal === '' ? '' : `; ${refusal}`}`);
      if (why === HELD_BACK) throw inQuarantine(caller);
      throw new Refusal(caller.kind === 'none' ? 'UNAUTHENTICATED' : 'PERMISSION_DENIED', reason);
    }
    return this.#enter(path, rule, { ...caller, onBehalfOf: this.#spokenFor(path, rule, caller, behalf) }, transport);
  }

  /** Resolves when what was refused so far is on disk, as far as it can be: the refusal may be told. */
  denialsWritten(): Promise<void> {
    return this.#audit.denialsWritten();
  }

  /** When an identity was last here: now, while a call of it is open; null where it made none since the start. */
  lastSeenMs(spiffeId: string): number | null {
    if (this.#calls.hasOf(spiffeId)) return this.#context.clock.nowMs();
    return this.#lastSeenMs.get(spiffeId) ?? null;
  }

  /**
   * Whose a certificate is, if the handshake accepted it: an identity that stands now, and of a peer its domain, whose
   * controllers bear what names they like. null: nobody's.
   */
  holderOf(leaf: Uint8Array): string | null {
    const { caller } = identify({ type: 'tls', peer: '', leaf, shown: leaf }, this.#context);
    return caller.kind === 'controller' ? `spiffe://${caller.cell}` : caller.spiffeId;
  }

  /** Open calls, by their method. */
  open(): Map<string, number> {
    return this.#calls.counts();
  }

  /** Before the effect: a change is on disk when this resolves, or it rejects and must not happen. */
  announce(admission: Admission, subject: Subject): Promise<void> {
    return this.#audit.announce(admission, subject);
  }

  /** After the effect, or in its place where it was refused: the denial of a change is on disk before it is told. */
  conclude(admission: Admission, subject: Subject, end: CallEnd): Promise<void> {
    return this.#audit.conclude(admission, subject, end);
  }

  /** Throws what `spokenFor` does, and INVALID_ARGUMENT where nobody is named who should be. */
  #spokenFor(path: string, rule: AccessRule, caller: Caller, behalf: Uint8Array | null): Caller['onBehalfOf'] {
    try {
      if (behalf !== null) return spokenFor(caller, behalf);
      if (caller.kind !== 'controller' || !rule.onBehalf) return null;
      throw new FleetError('INVALID_ARGUMENT', 'the call does not say for whom it is made');
    } catch (error) {
      this.#audit.refused(path, rule, caller, reasonOf(error));
      throw error;
    }
  }

  /** Throws what `CallShares` does; that is no denial, and so is not written at once. */
  #takeShare(path: string, rule: AccessRule, caller: Caller): () => void {
    try {
      return this.#shares.take(caller, rule);
    } catch (error) {
      this.#audit.refused(path, { ...rule, audit: 'queued' }, caller, reasonOf(error));
      throw error;
    }
  }

  #enter(path: string, rule: AccessRule, caller: Caller, transport: Transport): Admission {
    const giveBack = this.#takeShare(path, rule, caller);
    const admission = this.#calls.enter(path, rule, caller, transport, () => {
      giveBack();
      this.#see(caller);
    });
    this.#see(caller);
    return admission;
  }

  /** A peer gives names as it likes. */
  #see({ spiffeId, cell }: Caller): void {
    if (spiffeId !== null && cell === '') this.#lastSeenMs.set(spiffeId, this.#context.clock.nowMs());
  }
}
