/**
 * What the audit says of calls: a change is written before its effect and what came of it after; a denial, in their place.
 * A stranger can neither make the disk work nor push out what others did.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { AuditEntry } from '../audit/audit-record.ts';
import { unknownBecause } from '../audit/open-calls.ts';
import { actorOf, type Caller } from '../tenancy/caller.ts';
import type { Subject } from '../tenancy/subject.ts';
import type { AccessRule } from './access.ts';
import type { Admission, CallEnd } from './admission.ts';
import { CutShort } from './cut-short.ts';
import { LogBudget } from './log-budget.ts';
import { keptReason } from './relayed-error.ts';

export interface CallAuditContext {
  audit: AuditLog;
  clock: Clock;
  log: Logger;
}

export class CallAudit {
  readonly #context: CallAuditContext;
  readonly #budget: LogBudget;
  /** Until the newest denials of changes are on disk. */
  #writing: Promise<void> = Promise.resolve();

  constructor(context: CallAuditContext) {
    this.#context = context;
    this.#budget = new LogBudget(context.clock);
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

  /** A call that was not let in. */
  refused(path: string, rule: AccessRule | undefined, caller: Caller, why: string): void {
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
      this.#writing = this.#writing.then(() => written);
    }
    const keptBack = this.#budget.take();
    // Nor may it push out of the audit what others did.
    const isNoise = caller.kind === 'none' && keptBack === null;
    if (!isNoise && (rule?.audit !== 'before' || caller.kind === 'none')) audit.note(entry);
    if (keptBack !== null) log.warn({ path, actor: entry.actor, peer: caller.peer, why, keptBack }, 'call refused');
  }

  /** Resolves when what was refused so far is on disk, as far as it can be: the refusal may be told. */
  denialsWritten(): Promise<void> {
    return this.#writing;
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

export const reasonOf = (error: unknown): string =>
  error instanceof FleetError ? keptReason(error) : 'internal error';
