/**
 * The identity as the running host-agent has it: loaded, joined with a token that appears in its folder, renewed,
 * and updated by what the controller says at each welcome.
 */

import { FleetError } from '../../src/domain/errors.ts';
import { readCertificate } from '../../src/identity/certificate.ts';
import type { ClientIdentityPem } from '../../src/identity/client-tls.ts';
import { keyToPem, loadKey } from '../../src/identity/key.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { Welcome } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import type { EnrolledIdentity } from './identity-file.ts';
import { type JoinOptions, joinWithToken, takeTokenFile } from './join.ts';
import { knownAddresses } from './known-addresses.ts';

export interface EnrolmentOptions extends JoinOptions {
  log: Logger;
}

/** How often the folder is looked at for a token: a stat, nothing more. */
const LOOK_MS = 1_000;
const RETRY_MS = 3_000;

export class Enrolment {
  readonly #options: EnrolmentOptions;
  readonly #changed = new Listeners();
  #identity: EnrolledIdentity | null = null;
  #keyPem: string | null = null;
  #saving: Promise<void> = Promise.resolve();
  #problem: string | null = null;

  constructor(options: EnrolmentOptions) {
    this.#options = options;
  }

  get identity(): EnrolledIdentity | null {
    return this.#identity;
  }

  /** Why joining does not go on; null when there is nothing to say. */
  get problem(): string | null {
    return this.#problem;
  }

  get certificateNotAfterMs(): number | null {
    return this.#identity === null ? null : readCertificate(this.#identity.certificatePem).notAfterMs;
  }

  /** Called when the host-agent became another identity: first enrolment, or a new name. */
  onChange(listener: () => void): Disposable {
    return this.#changed.add(listener);
  }

  async load(): Promise<void> {
    this.#identity = await this.#options.file.load();
    if (this.#identity !== null) this.#keyPem = keyToPem(await loadKey(this.#options.file.keyPath));
  }

  tls(identity: EnrolledIdentity, withCertificate = true): ClientIdentityPem {
    return {
      certificatePem: withCertificate ? identity.certificatePem : null,
      keyPem: withCertificate ? this.#keyPem : null,
      trustBundlePem: identity.trustBundlePem,
      cell: identity.cell,
    };
  }

  /** A new certificate for who we are; one for who we were when it was asked for comes too late and is dropped. */
  async renewed({ cell, host, user, certificatePem, trustBundlePem, addresses }: EnrolledIdentity): Promise<void> {
    const held = this.#identity;
    if (held === null || held.cell !== cell || held.host !== host || held.user !== user) return;
    await this.#keep({ ...held, certificatePem, trustBundlePem, addresses });
  }

  /** Present addresses and trust, kept for the next start; who we are is not the controller's to change here. */
  async welcomed(welcome: Welcome): Promise<void> {
    const held = this.#identity;
    if (held === null) return;
    // A refused token is yesterday's trouble once the controller has taken us.
    this.#problem = null;
    const addresses = knownAddresses(held.addresses[0], welcome.addresses, held.addresses);
    const trustBundlePem = welcome.trustBundlePem || held.trustBundlePem;
    const tenantId = welcome.tenantId || held.tenantId;
    const next = { ...held, addresses, trustBundlePem, tenantId };
    if (JSON.stringify(next) === JSON.stringify(held)) return;
    await this.#keep(next);
  }

  /** In memory at once; on disk in the order in which it was said. */
  #keep(identity: EnrolledIdentity): Promise<void> {
    this.#identity = identity;
    const saved = this.#saving.then(() => this.#options.file.save(identity));
    this.#saving = saved.catch(() => {});
    return saved;
  }

  /** Takes tokens as they appear, until the signal aborts. A token that is refused for good is removed and said. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const token = await takeTokenFile(this.#options.file.folder).catch(() => null);
      if (token !== null && !(await this.#join(token))) await sleep(RETRY_MS, signal);
      await sleep(LOOK_MS, signal);
    }
  }

  async #join(token: { text: string; done: () => Promise<void> }): Promise<boolean> {
    const { log, file } = this.#options;
    try {
      const identity = await joinWithToken(token.text, this.#options);
      this.#keyPem = keyToPem(await loadKey(file.keyPath));
      this.#identity = identity;
      this.#problem = null;
      await token.done();
      log.info({ cell: identity.cell, host: identity.host, user: identity.user }, 'enrolled');
      this.#changed.emit();
      return true;
    } catch (error) {
      this.#problem = `not enrolled: ${(error as Error).message}`;
      log.error({ err: (error as Error).message }, 'enrolment failed');
      if (error instanceof FleetError && !error.retryable) await token.done();
      return false;
    }
  }
}
