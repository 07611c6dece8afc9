/**
 * How the cell goes from one authority to the next without a stream dropped: the next one is made and told, it signs once
 * whoever is connected trusts it, and the old one leaves once whoever is connected has a certificate of the new one.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { hostAgentId } from '../../src/domain/host-agent.ts';
import type { Authorities } from '../../src/identity/authorities.ts';
import { authorityFingerprint } from '../../src/identity/authority.ts';
import { BACKDATED_MS, readCertificate } from '../../src/identity/certificate.ts';
import { formatSpiffeId } from '../../src/identity/spiffe-id.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type {
  AuthorityHolder,
  AuthorityStanding,
  GetTrustBundleResponse,
} from '../../src/wire/gen/fleet/v1/rotation.ts';
import type { IdentityRecord, PeerRecord, Records } from '../store/records.ts';
import { lateWords } from './late-holders.ts';

export const ROTATION_STEPS = ['begin', 'switch', 'finish', 'abort'] as const;
export type RotationStep = (typeof ROTATION_STEPS)[number];

export interface RotationContext {
  authorities: Authorities;
  records: Records;
  clock: Clock;
  log: Logger;
  /** Of a host-agent, by `host/user`. */
  isConnected: (id: string) => boolean;
  /** Of a peer, by the name of its cell. */
  isPeerConnected: (cell: string) => boolean;
  /** Whom to trust, or who signs, is another now: the server's own certificate, and what hosts are told. */
  changed: () => void;
}

export class Rotation {
  readonly #context: RotationContext;
  /** One after the other; a backup, too, must not see half a step. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(context: RotationContext) {
    this.#context = context;
  }

  /** While `work` runs no step is taken. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /**
   * FAILED_PRECONDITION for a step that is not its turn, or that would leave behind hosts or cells that are connected. One
   * that was begun is taken to its end; whoever leaves or falls before that has not begun it.
   */
  take(step: RotationStep, force: boolean, signal: AbortSignal): Promise<AuthorityStanding> {
    const { authorities, clock, log, changed } = this.#context;
    return this.inTurn(async () => {
      signal.throwIfAborted();
      if (!force) this.#requireReady(step);
      const taken = step === 'begin' ? authorities.begin(clock.nowMs()) : authorities[step]();
      await taken.catch((cause: Error) => {
        if (cause instanceof FleetError) throw cause;
        const words = `${step} could not be written (${cause.message}): all stands as before it; mend that and repeat it`;
        throw new FleetError('FAILED_PRECONDITION', words, { cause });
      });
      log.warn({ step, phase: authorities.phase, signing: authorities.fingerprint }, 'authority rotation');
      changed();
      return this.standing();
    });
  }

  standing(): AuthorityStanding {
    const { authorities, records } = this.#context;
    const { certificate, other, phase, fingerprint } = authorities;
    return {
      phase,
      signing: fingerprint,
      other: other === null ? '' : authorityFingerprint(other),
      signingMadeMs: readCertificate(certificate.raw).notBeforeMs + BACKDATED_MS,
      holders: [
        ...[...records.identities.entries()]
          .filter(([, { revoked }]) => !revoked)
          .map(([spiffeId, record]) => this.#holder(spiffeId, record)),
        ...[...records.peers.entries()]
          .filter(([, { state }]) => state === 'active')
          .map(([cell, peer]) => this.#peerHolder(cell, peer)),
      ],
    };
  }

  /** Whom to trust now, for one without an uplink, which keeps what it is told. */
  async tell(spiffeId: string | null): Promise<GetTrustBundleResponse> {
    const { trusted, trustPem } = this.#context.authorities;
    if (spiffeId !== null) await this.#keep(spiffeId, trusted.map(authorityFingerprint));
    return { trustBundlePem: trustPem };
  }

  /** What a host-agent says that it trusts; kept, because it matters once the host is away. */
  heard(id: string, trusts: readonly string[]): Promise<void> {
    const { authorities } = this.#context;
    const [host = '', user = ''] = id.split('/');
    const uri = formatSpiffeId({ kind: 'host', cell: authorities.cell, host, user });
    return this.#keep(
      uri,
      trusts.filter((fingerprint) => authorities.isTrusted(fingerprint)),
    );
  }

  async #keep(uri: string, known: string[]): Promise<void> {
    const { records } = this.#context;
    for (let committed: bigint | null = null; committed === null; ) {
      const record = records.identities.get(uri);
      if (record === undefined || record.trusts?.join() === known.join()) return;
      const expect = [records.identities.expectation(uri)];
      const put = [records.identities.writing(uri, { ...record, trusts: known })];
      committed = await records.store.commit({ expect, put });
    }
  }

  /** The one that everybody should trust, and have a certificate of. */
  get #newest(): string {
    const { authorities } = this.#context;
    const isComing = authorities.phase === 'begun' && authorities.other !== null;
    return isComing ? authorityFingerprint(authorities.other) : authorities.fingerprint;
  }

  /** Of one that came before this was kept: it knows the cell's first authority. */
  get #isFirst(): boolean {
    const { phase, retired, cell } = this.#context.authorities;
    return phase === 'none' && retired.get(cell)?.length === 0;
  }

  #holder(spiffeId: string, { kind, host, user, trusts, authority }: IdentityRecord): AuthorityHolder {
    const newest = this.#newest;
    return {
      spiffeId,
      connected: kind === 'host' && this.#context.isConnected(hostAgentId(host, user)),
      trusts: trusts?.includes(newest) ?? this.#isFirst,
      renewed: authority === undefined ? this.#isFirst : authority === newest,
      silent: false,
    };
  }

  #peerHolder(cell: string, peer: PeerRecord): AuthorityHolder {
    const trusts = peer.trusts?.includes(this.#newest) ?? this.#isFirst;
    const connected = this.#context.isPeerConnected(cell);
    // Whoever says it names one at least: the one by which it knows us.
    const silent = connected && !trusts && (peer.trusts ?? []).length === 0;
    return { spiffeId: `spiffe://${cell}`, connected, trusts, renewed: trusts, silent };
  }

  #requireReady(step: RotationStep): void {
    const isReady = { begin: null, abort: null, switch: 'trusts', finish: 'renewed' } as const;
    const what = isReady[step];
    const isTurn = this.#context.authorities.phase === (step === 'switch' ? 'begun' : 'switched');
    if (what === null || !isTurn) return;
    const late = this.standing().holders.filter((holder) => holder.connected && !holder[what]);
    if (late.length === 0) return;
    throw new FleetError('FAILED_PRECONDITION', lateWords(late, what, this.#newest), { retryable: true });
  }
}
