/**
 * The calls that were let in. Each is judged anew when what is enrolled or trusted changes, and once a second because time
 * passes: it is cut when its caller no longer stands, or is somebody else's or may do something else by now.
 */
import { randomBytes } from 'node:crypto';
import { FleetError } from '../../src/domain/errors.ts';
import type { TrustBundles } from '../../src/identity/trust.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { RefusalReason } from '../../src/wire/errors.ts';
import type { IdentityRecord } from '../store/records.ts';
import type { Caller } from '../tenancy/caller.ts';
import { inQuarantine } from '../tenancy/quarantine.ts';
import { type AccessRule, isHeldBack } from './access.ts';
import type { Admission, Transport } from './admission.ts';
import { hasChanged, isOfTrusted, standingOf } from './authenticate.ts';
import { type IdentifyContext, identify } from './identify.ts';
import { Refusal } from './refusal.ts';

export interface OpenCallsContext extends IdentifyContext {
  log: Logger;
  sweepIntervalMs?: number;
}

export class OpenCalls {
  readonly #context: OpenCallsContext;
  /** Beside the record by which each was judged last. */
  readonly #inside = new Map<Admission, IdentityRecord | null>();
  readonly #watches = new DisposableStack();
  #timer: NodeJS.Timeout | null = null;
  #onChanged: (spiffeId: string) => void = () => undefined;

  constructor(context: OpenCallsContext) {
    this.#context = context;
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

  /** Judges no more, and ends them all. */
  stop(): void {
    this.#watches.dispose();
    if (this.#timer) clearInterval(this.#timer);
    for (const { abort } of this.#inside.keys()) abort(new Refusal('UNAVAILABLE', 'controller_stopping'));
  }

  /** `left` is told once, when the call leaves. */
  enter(path: string, rule: AccessRule, caller: Caller, transport: Transport, left: () => void): Admission {
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
        if (this.#inside.delete(admission)) left();
      },
    };
    this.#inside.set(admission, null);
    return admission;
  }

  /** Whether an identity has one open. */
  hasOf(spiffeId: string): boolean {
    return [...this.#inside.keys()].some(({ caller }) => caller.spiffeId === spiffeId && caller.cell === '');
  }

  /** By their method. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { path } of this.#inside.keys()) counts.set(path, (counts.get(path) ?? 0) + 1);
    return counts;
  }

  #sweep(): void {
    const { records, bundles, log } = this.#context;
    const trusted = bundles();
    const peers = new Map<string, RefusalReason | null>();
    for (const [admission, judgedBy] of this.#inside) {
      const { caller, signal } = admission;
      if (caller.spiffeId === null || caller.certificate === null || signal.aborted) continue;
      const reason = this.#standing(admission, trusted, peers);
      if (reason === null) {
        const record = records.identities.get(caller.spiffeId);
        if (record !== undefined && record !== judgedBy && caller.kind !== 'controller')
          this.#judgeAnew(admission, record);
        continue;
      }
      log.warn({ actor: caller.spiffeId, reason }, 'calls of an identity cut');
      // A peer's controllers bear what names they like, and one of them several certificates: each call for itself.
      if (caller.kind === 'controller') admission.abort(new Refusal('UNAUTHENTICATED', reason));
      else this.#closeAllOf(caller.spiffeId, reason);
      this.#onChanged(caller.spiffeId);
    }
  }

  #closeAllOf(spiffeId: string, reason: RefusalReason): void {
    for (const { caller, abort } of this.#inside.keys()) {
      if (caller.spiffeId === spiffeId) abort(new Refusal('UNAUTHENTICATED', reason));
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
      const now = identify(transport, this.#context);
      // By its own word it has given up the authority that it called by, and goes on with another.
      const isPeerYet = records.peers.get(caller.cell)?.state === 'active';
      const reason = now.reason ?? (isPeerYet ? 'certificate_expired' : 'revoked');
      judged.set(leaf, now.caller.kind === 'controller' ? null : reason);
    }
    return judged.get(leaf) ?? null;
  }

  /** Its caller stands, and is somebody else's or may do something else by now: it begins anew, as what it is. */
  #judgeAnew(admission: Admission, record: IdentityRecord): void {
    const { caller, rule, path } = admission;
    this.#inside.set(admission, record);
    const isHeld = isHeldBack(rule, record);
    if (!isHeld && !hasChanged(this.#context.records, caller, record)) return;
    this.#context.log.warn({ actor: caller.spiffeId, path, isHeld }, 'call cut: what its caller may do has changed');
    const changed = 'what this caller sees or may do was changed: begin anew';
    admission.abort(isHeld ? inQuarantine(caller) : new FleetError('UNAVAILABLE', changed));
  }
}
