/**
 * The one door: every call passes `admit` (who is it, may it) and, for a change, `announce` (written down) before
 * anything acts. What was let in stays known, and is cut when its identity no longer stands.
 */
import { randomBytes } from 'node:crypto';
import { BugError, FleetError } from '../../src/domain/errors.ts';
import type { TrustBundles } from '../../src/identity/trust.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { RefusalReason } from '../../src/wire/errors.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { AuditEntry } from '../audit/audit-record.ts';
import { unknownBecause } from '../audit/open-calls.ts';
import type { IdentityRecord, Records } from '../store/records.ts';
import { actorOf, type Caller, LOCAL_CALLER } from '../tenancy/caller.ts';
import { spokenFor } from '../tenancy/on-behalf-of.ts';
import type { PeerGrants } from '../tenancy/peer-grants.ts';
import { inQuarantine } from '../tenancy/quarantine.ts';
import type { Subject } from '../tenancy/subject.ts';
import { ACCESS, type AccessRule, HELD_BACK, isHeldBack, objectionTo } from './access.ts';
import { authenticate, hasChanged, isOfTrusted, standingOf } from './authenticate.ts';
import { CutShort } from './cut-short.ts';
import { LogBudget } from './log-budget.ts';
import { PeerShares } from './peer-shares.ts';
import { Refusal } from './refusal.ts';
import { keptReason } from './relayed-error.ts';

/** What the transport knows of a connection; never anything from a message. */
export type Transport =
  | { type: 'unix' }
  /** `leaf` only if the handshake accepted it; `shown` is any leaf that was shown, for words only. */
  | { type: 'tls'; peer: string; leaf: Uint8Array | null; shown: Uint8Array | null };

export interface Admission {
  /** Names the call in the log and on the wire. */
  id: string;
  path: string;
  rule: AccessRule;
  caller: Caller;
  transport: Transport;
  enteredMono: number;
  /** Aborted when the client leaves, the identity falls or the server stops; the reason is a FleetError. */
  signal: AbortSignal;
  abort(error: FleetError): void;
  leave(): void;
}

/** How a call ended. */
export interface CallEnd {
  error: unknown;
  /** Of what it answered, a word of a closed set: what became of an order. */
  said: string;
  /** Of its messages, both ways. */
  bytes: number;
}

export interface DoorContext {
  records: Records;
  bundles: () => TrustBundles;
  /** Without them nobody is a peer. */
  grants?: PeerGrants;
  /** Authorities that the cell trusted once: connections of theirs may live on. */
  retired?: () => TrustBundles;
  audit: AuditLog;
  clock: Clock;
  log: Logger;
  rules?: ReadonlyMap<string, AccessRule>;
  sweepIntervalMs?: number;
}

export class Door {
  readonly #context: DoorContext;
  readonly #rules: ReadonlyMap<string, AccessRule>;
  readonly #inside = new Set<Admission>();
  readonly #shares = new PeerShares();
  readonly #budget: LogBudget;
  readonly #watches = new DisposableStack();
  /** By SPIFFE id, since the start. */
  readonly #lastSeenMs = new Map<string, number>();
  /** Until the newest denials of changes are on disk. */
  #writing: Promise<unknown> = Promise.resolve();
  #isStopping = false;
  #timer: NodeJS.Timeout | null = null;
  #onChanged: (spiffeId: string) => void = () => undefined;

  constructor(context: DoorContext) {
    this.#context = context;
    this.#rules = context.rules ?? ACCESS;
    this.#budget = new LogBudget(context.clock);
  }

  /** `onChanged` hears at once of identities whose connections should be judged again; of a peer, of its whole domain. */
  start(onChanged: (spiffeId: string) => void): void {
    this.#onChanged = onChanged;
    const { identities, peers, store } = this.#context.records;
    const follow = (prefix: string, nameOf: (name: string) => string): void => {
      const watch = store.watch(prefix, (changes) => {
        this.#sweep();
        for (const { key } of changes) onChanged(nameOf(key.slice(prefix.length)));
      });
      this.#watches.use(watch);
    };
    follow(identities.keyOf(''), (spiffeId) => spiffeId);
    follow(peers.keyOf(''), (cell) => `spiffe://${cell}`);
    this.#timer = setInterval(() => this.#sweep(), this.#context.sweepIntervalMs ?? 1_000);
  }

  stop(): void {
    this.#isStopping = true;
    this.#watches.dispose();
    if (this.#timer) clearInterval(this.#timer);
    for (const admission of this.#inside) admission.abort(new Refusal('UNAVAILABLE', 'controller_stopping'));
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
    const { caller, refusal, reason } = this.#identify(transport);
    const rule = this.#rules.get(path);
    const why = objectionTo(rule, caller);
    if (rule === undefined || why !== null) {
      this.#refused(path, rule, caller, `${why}${refusal === '' ? '' : `; ${refusal}`}`);
      if (why === HELD_BACK) throw inQuarantine(caller);
      throw new Refusal(caller.kind === 'none' ? 'UNAUTHENTICATED' : 'PERMISSION_DENIED', reason);
    }
    return this.#enter(path, rule, { ...caller, onBehalfOf: this.#spokenFor(path, rule, caller, behalf) }, transport);
  }

  /** Resolves when what was refused so far is on disk, as far as it can be: the refusal may be told. */
  async denialsWritten(): Promise<void> {
    await this.#writing;
  }

  /** When an identity made its newest call; null for none since the start. */
  lastSeenMs(spiffeId: string): number | null {
    return this.#lastSeenMs.get(spiffeId) ?? null;
  }

  /**
   * Whose a certificate is, if the handshake accepted it: an identity that stands now, and of a peer its domain, whose
   * controllers bear what names they like. null: nobody's.
   */
  holderOf(leaf: Uint8Array): string | null {
    const { kind, cell, spiffeId } = this.#identify({ type: 'tls', peer: '', leaf, shown: leaf }).caller;
    return kind === 'controller' ? `spiffe://${cell}` : spiffeId;
  }

  /** Open calls, by their method. */
  open(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { path } of this.#inside) counts.set(path, (counts.get(path) ?? 0) + 1);
    return counts;
  }

  /** Before the effect: a change is on disk when this resolves, or it rejects and must not happen. */
  async announce(admission: Admission, subject: Subject): Promise<void> {
    const { path, rule } = admission;
    const entry = { ...about(admission, subject), outcome: subject.lasts ? 'began' : 'allowed', reason: '' } as const;
    if (rule.audit === 'queued' && subject.lasts) this.#context.audit.note(entry);
    if (rule.audit !== 'before') return;
    try {
      await this.#context.audit.record(entry);
    } catch (cause) {
      this.#context.log.error({ err: cause, path, call: admission.id }, 'change refused: it cannot be audited');
      const code = cause instanceof FleetError ? cause.code : 'UNAVAILABLE';
      throw new FleetError(code, 'refused: the audit cannot be written, so nothing was changed', { cause });
    }
  }

  /** After the effect, or in its place where it was refused: the denial of a change is on disk before it is told. */
  async conclude(admission: Admission, subject: Subject, end: CallEnd): Promise<void> {
    const { audit, clock, log } = this.#context;
    const { path, rule, signal, enteredMono } = admission;
    if (rule.audit !== 'before' && rule.audit !== 'queued') return;
    const { error, bytes } = end;
    const isCut = error instanceof CutShort;
    const isDenied = error instanceof FleetError && error.code === 'PERMISSION_DENIED' && !isCut;
    const hasLeft = subject.lasts === true && (error === null || (signal.aborted && isLeave(signal.reason)));
    const entry: AuditEntry = {
      ...about(admission, subject),
      outcome: isDenied ? 'denied' : hasLeft || isCut ? 'ended' : error === null ? 'done' : 'failed',
      reason: error === null ? end.said : isCut ? unknownBecause(reasonOf(error.why)) : hasLeft ? '' : reasonOf(error),
      latencyMs: Math.round(10 * (clock.monotonicMs() - enteredMono)) / 10,
      bytes,
    };
    if (rule.audit === 'queued') audit.note(entry);
    else if (!isDenied) audit.conclude(entry);
    else await audit.record(entry).catch((err: unknown) => log.error({ err, path }, 'denial could not be audited'));
  }

  /** Ends every call of an identity. The number of calls that were open. */
  closeStreamsOf(spiffeId: string, reason: RefusalReason): number {
    const calls = [...this.#inside].filter(({ caller }) => caller.spiffeId === spiffeId);
    for (const call of calls) call.abort(new Refusal('UNAUTHENTICATED', reason));
    return calls.length;
  }

  #identify(transport: Transport): ReturnType<typeof authenticate> {
    if (transport.type === 'unix') return { caller: LOCAL_CALLER, refusal: '', reason: null };
    const { records, bundles, retired, grants, clock } = this.#context;
    const held = grants === undefined ? {} : { grants };
    const context = { records, bundles: bundles(), retired: retired?.(), nowMs: clock.nowMs(), ...held };
    if (transport.leaf !== null) return authenticate(transport.leaf, transport.peer, context);
    const told = authenticate(transport.shown, transport.peer, context);
    const nobody = authenticate(null, transport.peer, context);
    // The handshake did not accept what was shown, whatever we think of it: it proves nothing here.
    return told.caller.kind === 'none'
      ? told
      : { ...nobody, refusal: 'certificate not accepted in the handshake', reason: 'certificate_expired' };
  }

  #refused(path: string, rule: AccessRule | undefined, caller: Caller, why: string): void {
    const { audit, log } = this.#context;
    const entry = {
      actor: actorOf(caller),
      ...tenantsOf(caller),
      verb: path,
      target: '',
      outcome: 'denied',
      reason: why,
    } as const;
    // A stranger must not be able to make the disk work: only denials of known identities are written at once.
    if (rule?.audit === 'before' && caller.kind !== 'none') {
      const written = audit
        .record(entry)
        .catch((err: unknown) => log.error({ err, path }, 'denial could not be audited'));
      this.#writing = Promise.all([this.#writing, written]);
    }
    const keptBack = this.#budget.take();
    // Nor may it push out of the audit what others did.
    const isNoise = caller.kind === 'none' && keptBack === null;
    if (!isNoise && (rule?.audit !== 'before' || caller.kind === 'none')) audit.note(entry);
    if (keptBack !== null) log.warn({ path, actor: entry.actor, peer: caller.peer, why, keptBack }, 'call refused');
  }

  /** Throws what `spokenFor` does, and INVALID_ARGUMENT where nobody is named who should be. */
  #spokenFor(path: string, rule: AccessRule, caller: Caller, behalf: Uint8Array | null): Caller['onBehalfOf'] {
    try {
      if (behalf !== null) return spokenFor(caller, behalf);
      if (caller.kind !== 'controller' || !rule.onBehalf) return null;
      throw new FleetError('INVALID_ARGUMENT', 'the call does not say for whom it is made');
    } catch (error) {
      this.#refused(path, rule, caller, reasonOf(error));
      throw error;
    }
  }

  /** Throws what `PeerShares` does; that is no denial, and so is not written at once. */
  #takeShare(path: string, rule: AccessRule, caller: Caller): () => void {
    try {
      return this.#shares.take(caller, rule);
    } catch (error) {
      this.#refused(path, { ...rule, audit: 'queued' }, caller, reasonOf(error));
      throw error;
    }
  }

  #enter(path: string, rule: AccessRule, caller: Caller, transport: Transport): Admission {
    const giveBack = this.#takeShare(path, rule, caller);
    const controller = new AbortController();
    const admission: Admission = {
      id: randomBytes(6).toString('hex'),
      path,
      rule,
      caller,
      transport,
      enteredMono: this.#context.clock.monotonicMs(),
      signal: controller.signal,
      abort: (error) => controller.abort(error),
      leave: () => {
        if (this.#inside.delete(admission)) giveBack();
      },
    };
    this.#inside.add(admission);
    // A peer gives names as it likes.
    if (caller.spiffeId !== null && caller.cell === '')
      this.#lastSeenMs.set(caller.spiffeId, this.#context.clock.nowMs());
    return admission;
  }

  #sweep(): void {
    const { records, bundles, log } = this.#context;
    const trusted = bundles();
    const peers = new Map<string, RefusalReason | null>();
    for (const admission of this.#inside) {
      const { caller, signal } = admission;
      if (caller.spiffeId === null || caller.certificate === null || signal.aborted) continue;
      const reason = this.#standing(admission, trusted, peers);
      if (reason === null) {
        const record = records.identities.get(caller.spiffeId);
        if (record !== undefined && caller.kind !== 'controller') this.#judgeAnew(admission, record);
        continue;
      }
      log.warn({ actor: caller.spiffeId, reason }, 'calls of an identity cut');
      // A peer's controllers bear what names they like, and one of them several certificates: each call for itself.
      if (caller.kind === 'controller') admission.abort(new Refusal('UNAUTHENTICATED', reason));
      else this.closeStreamsOf(caller.spiffeId, reason);
      this.#onChanged(caller.spiffeId);
    }
  }

  /** Of a peer the certificate itself is judged anew, once for all of its calls: `judged`, by leaf. */
  #standing(
    { caller, transport }: Admission,
    trusted: TrustBundles,
    judged: Map<string, RefusalReason | null>,
  ): RefusalReason | null {
    const { spiffeId, certificate, kind } = caller;
    const { records, clock } = this.#context;
    if (spiffeId === null || certificate === null) return null;
    if (kind !== 'controller') {
      const record = records.identities.get(spiffeId);
      const isTrusted = isOfTrusted([certificate.authority, record?.authority], trusted);
      return standingOf(record, certificate, clock.nowMs()) ?? (isTrusted ? null : 'certificate_expired');
    }
    // Serial numbers are its issuer's own choice.
    const { serial, authority, keyFingerprint } = certificate;
    const leaf = `${spiffeId} ${authority} ${keyFingerprint} ${serial}`;
    if (!judged.has(leaf)) {
      const now = this.#identify(transport);
      judged.set(leaf, now.caller.kind === 'controller' ? null : (now.reason ?? 'revoked'));
    }
    return judged.get(leaf) ?? null;
  }

  /** Its caller stands, and is somebody else's or may do something else by now: it begins anew, as what it is. */
  #judgeAnew(admission: Admission, record: IdentityRecord): void {
    const { caller, rule, path } = admission;
    const isHeld = isHeldBack(rule, record);
    if (!isHeld && !hasChanged(this.#context.records, caller, record)) return;
    this.#context.log.warn({ actor: caller.spiffeId, path, isHeld }, 'call cut: what its caller may do has changed');
    const changed = 'what this caller sees or may do was changed: begin anew';
    admission.abort(isHeld ? inQuarantine(caller) : new FleetError('UNAVAILABLE', changed));
  }
}

const about = ({ caller, path, id }: Admission, { lasts: _, ...subject }: Subject) => ({
  actor: actorOf(caller),
  ...(caller.onBehalfOf === null ? {} : { onBehalfOf: caller.onBehalfOf.actor }),
  ...tenantsOf(caller),
  ...subject,
  verb: path,
  call: id,
});

/** Whoever reaches the admin socket is no tenant; a peer's tenants are named with its cell, and have nothing here. */
const tenantsOf = ({ kind, tenantId, onBehalfOf }: Caller) => {
  if (onBehalfOf !== null) return onBehalfOf.tenantId === '' ? {} : { actorTenantId: onBehalfOf.tenantId };
  return kind === 'local' || tenantId === '' ? {} : { actorTenantId: tenantId, tenantId };
};

/** The caller went away by itself. */
const isLeave = (reason: unknown): boolean => reason instanceof FleetError && reason.code === 'CANCELLED';

const reasonOf = (error: unknown): string => (error instanceof FleetError ? keptReason(error) : 'internal error');
