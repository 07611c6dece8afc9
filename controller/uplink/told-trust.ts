/** Whom host-agents shall trust, and whom each says that it does: who says otherwise in a beat is told again. */
import { authorityFingerprints } from '../../src/identity/authority.ts';
import type { Session } from './session.ts';

/** What a host says is kept: no more of it than a cell ever has. */
const MAX_AUTHORITIES = 16;

export interface ToldTrustOptions {
  trustBundlePem(): string;
  /** Fingerprints of the authorities that a host-agent says it trusts; heard when they change. */
  trusts?(id: string, authorities: readonly string[]): void;
}

type Trusting = Pick<Session, 'id' | 'stream' | 'trusts'>;

export class ToldTrust {
  readonly #options: ToldTrustOptions;
  #bundle: { pem: string; fingerprints: readonly string[] } = { pem: '', fingerprints: [] };

  constructor(options: ToldTrustOptions) {
    this.#options = options;
  }

  tell(session: Trusting): void {
    session.stream.write({ trustChanged: { trustBundlePem: this.#options.trustBundlePem() } });
  }

  /** One of an older version does not say; it keeps what its welcome says. */
  saidInHello(session: Trusting, authorities: readonly string[]): void {
    this.#take(session, authorities.length > 0 ? authorities : this.#trusted());
  }

  saidInBeat(session: Trusting, authorities: readonly string[]): void {
    if (authorities.length === 0) return;
    this.#take(session, authorities);
    // A renewal that was under way when it was told may have brought back what was true before.
    if (authorities.join(' ') !== this.#trusted().join(' ')) this.tell(session);
  }

  /** Fingerprints of what hosts shall trust now. */
  #trusted(): readonly string[] {
    const pem = this.#options.trustBundlePem();
    if (this.#bundle.pem !== pem) this.#bundle = { pem, fingerprints: authorityFingerprints(pem) };
    return this.#bundle.fingerprints;
  }

  #take(session: Trusting, authorities: readonly string[]): void {
    const trusts = authorities.slice(0, MAX_AUTHORITIES).join(' ');
    if (trusts === session.trusts) return;
    session.trusts = trusts;
    this.#options.trusts?.(session.id, trusts.split(' '));
  }
}
