/**
 * Keeps the certificate fresh: renewed with the same key at two thirds of its life, and after its end as well, for
 * as long as the controller allows. No stream is dropped: a new certificate counts from the next handshake on.
 */

import { readCertificate, renewalDueMs } from '../../src/identity/certificate.ts';
import { makeCsr } from '../../src/identity/csr.ts';
import { loadKey } from '../../src/identity/key.ts';
import { isOfSigner } from '../../src/identity/trust.ts';
import { backoffDelayMs } from '../../src/runtime/backoff.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { CertificateResponse, RenewRequest } from '../../src/wire/gen/fleet/v1/enrollment_messages.ts';
import type { EnrolledIdentity, IdentityFile } from './identity-file.ts';
import { identityFrom } from './join.ts';

export interface RenewalOptions {
  file: IdentityFile;
  clock: Clock;
  log: Logger;
  machineId: string;
  /** null while not enrolled. */
  identity(): EnrolledIdentity | null;
  /** Keeps it; on disk when it resolves. */
  renewed(identity: EnrolledIdentity): Promise<void>;
  renew(
    address: string,
    identity: EnrolledIdentity,
    expired: boolean,
    request: RenewRequest,
    signal: AbortSignal,
  ): Promise<CertificateResponse>;
}

/** Within so long all hosts of a cell go over to an authority that signs anew: not at one moment. */
const SPREAD_MS = 3_000;
/** Between two looks at the clock: a machine that slept or whose clock was set must notice. */
const LOOK_MS = 30_000;

export class Renewal {
  readonly #options: RenewalOptions;
  #isRefused = false;
  #wake = new AbortController();
  #renewedMono = Number.NEGATIVE_INFINITY;
  /** The trust bundle that came with the newest certificate. */
  #renewedUnder = '';

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  /**
   * Renew now, whatever our clock says: the controller refused us. A certificate that is new already cannot be why:
   * renewing and dialling would then feed each other.
   */
  nudge(): void {
    if (this.#options.clock.monotonicMs() - this.#renewedMono < LOOK_MS) return;
    this.#isRefused = true;
    this.#wake.abort();
  }

  /** The identity is another one now: when it is due must be read anew. */
  look(): void {
    this.#wake.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; ) {
      const identity = this.#options.identity();
      const dueInMs = this.#isOfBefore(identity) ? 0 : this.#dueInMs(identity);
      if (dueInMs === 0) await sleep(Math.random() * SPREAD_MS, signal);
      if (dueInMs > 0 && !this.#isRefused) {
        await sleep(Math.min(dueInMs, LOOK_MS), AbortSignal.any([signal, this.#wake.signal]));
        this.#wake = new AbortController();
        continue;
      }
      this.#isRefused = false;
      if (identity === null || (await this.#renew(identity, signal))) attempt = 0;
      else await sleep(backoffDelayMs(++attempt, { firstMs: 1_000, capMs: LOOK_MS }), signal);
    }
  }

  #dueInMs(identity: EnrolledIdentity | null): number {
    if (identity === null) return LOOK_MS;
    return renewalDueMs(readCertificate(identity.certificatePem)) - this.#options.clock.nowMs();
  }

  /** Another authority signs by now. A controller that renews and still signs with another is not asked in a hurry. */
  #isOfBefore(identity: EnrolledIdentity | null): boolean {
    if (identity === null || isOfSigner(identity.certificatePem, identity.trustBundlePem)) return false;
    const isNews = identity.trustBundlePem !== this.#renewedUnder;
    return isNews || this.#options.clock.monotonicMs() - this.#renewedMono >= LOOK_MS;
  }

  async #renew(identity: EnrolledIdentity, signal: AbortSignal): Promise<boolean> {
    const { file, clock, log, machineId } = this.#options;
    // The present certificate rides along: if the controller's clock calls it expired, the key still proves us.
    const expired = clock.nowMs() >= readCertificate(identity.certificatePem).notAfterMs;
    for (const address of identity.addresses) {
      try {
        const csr = makeCsr(await loadKey(file.keyPath));
        const request = { csr, machineId, expiredCertificatePem: identity.certificatePem };
        const answer = await this.#options.renew(address, identity, expired, request, signal);
        const renewed = identityFrom(answer, identity.addresses);
        await this.#options.renewed(renewed);
        this.#renewedMono = clock.monotonicMs();
        this.#renewedUnder = renewed.trustBundlePem;
        const { notAfterMs } = readCertificate(renewed.certificatePem);
        log.info({ address, expired, notAfterMs }, 'certificate renewed');
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        log.warn({ address, expired, err: (error as Error).message }, 'certificate not renewed');
      }
    }
    return false;
  }
}
