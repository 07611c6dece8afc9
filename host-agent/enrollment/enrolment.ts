/**
 * The identity as the running host-agent has it: loaded, joined with a token that appears in its folder, renewed,
 * and updated by what the controller says at each welcome.
 */

import { FleetError } from '../../src/domain/errors.ts';
import { authorityFingerprints } from '../../src/identity/authority.ts';
import { readCertificate, splitPem } from '../../src/identity/certificate.ts';
import type { ClientIdentityPem } from '../../src/identity/client-tls.ts';
import { keyToPem, loadKey } from '../../src/identity/key.ts';
import { knownAddresses } from '../../src/identity/known-addresses.ts';
import { TOKEN_LIFETIME_MAX_MS } from '../../src/identity/token.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { Welcome } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import type { EnrolledIdentity } from './identity-file.ts';
import { type JoinOptions, joinWithToken, type TokenFile, takeTokenFile } from './join.ts';

export interface EnrolmentOptions extends JoinOptions {
  log: Logger;
  /** After a try that failed; 3 s. */
  retryMs?: number;
}

/** How often the folder is looked at for a token: a stat, nothing more. */
const LOOK_MS = 1_000;
const RETRY_MS = 3_000;

export class Enrolment {
  readonly #options: EnrolmentOptions;
  readonly #changed = new Listeners();
  #identity: EnrolledIdentity | null = null;
  /** Fingerprints of the authorities in what is on disk. */
  #keptAuthorities: string[] = [];
  #keyPem: string | null = null;
  #tls: { of: EnrolledIdentity; pem: ClientIdentityPem } | null = null;
  #saving: Promise<void> = Promise.resolve();
  #problem: string | null = null;
  /** Why the token that waits cannot be read. */
  #unread: string | null = null;
  /** The token that is being tried. Its end is told by the controller's clock, its age by ours. */
  #tried: { text: string; sinceMono: number } | null = null;

  constructor(options: EnrolmentOptions) {
    this.#options = options;
  }

  get identity(): EnrolledIdentity | null {
    return this.#identity;
  }

  get keptAuthorities(): string[] {
    return this.#keptAuthorities;
  }

  /** Why joining does not go on; null when there is nothing to say. */
  get problem(): string | null {
    return this.#problem ?? this.#unread;
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
    if (this.#identity === null) return;
    this.#keyPem = keyToPem(await loadKey(this.#options.file.keyPath));
    this.#keptAuthorities = authorityFingerprints(this.#identity.trustBundlePem);
  }

  /** The same object for the same identity and key, so that its TLS context is made once. */
  tls(identity: EnrolledIdentity, withCertificate = true): ClientIdentityPem {
    const { trustBundlePem, cell, certificatePem } = identity;
    if (!withCertificate) return { certificatePem: null, keyPem: null, trustBundlePem, cell };
    if (this.#tls?.of !== identity || this.#tls.pem.keyPem !== this.#keyPem) {
      this.#tls = { of: identity, pem: { certificatePem, keyPem: this.#keyPem, trustBundlePem, cell } };
    }
    return this.#tls.pem;
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

  /** The cell goes from one authority to the next. What holds none is no bundle. */
  async trustChanged(trustBundlePem: string): Promise<void> {
    const held = this.#identity;
    if (held === null || trustBundlePem === held.trustBundlePem || splitPem(trustBundlePem).length === 0) return;
    await this.#keep({ ...held, trustBundlePem });
  }

  /** In memory at once; on disk in the order in which it was said. */
  #keep(identity: EnrolledIdentity): Promise<void> {
    this.#identity = identity;
    const saved = this.#saving.then(async () => {
      await this.#options.file.save(identity);
      this.#keptAuthorities = authorityFingerprints(identity.trustBundlePem);
    });
    this.#saving = saved.catch(() => {});
    return saved;
  }

  /**
   * Takes tokens as they appear, until the signal aborts. A token that is refused for good, or has been tried for longer
   * than any lives, is removed, and that is said.
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const token = await this.#look();
      if (token !== null && !(await this.#join(token, signal))) await sleep(this.#options.retryMs ?? RETRY_MS, signal);
      await sleep(LOOK_MS, signal);
    }
  }

  async #look(): Promise<TokenFile | null> {
    try {
      const token = await takeTokenFile(this.#options.file.folder);
      this.#unread = null;
      return token;
    } catch (error) {
      const { message } = error as Error;
      if (this.#unread !== message) this.#options.log.warn({ err: message }, 'join token cannot be read');
      this.#unread = message;
      return null;
    }
  }

  async #join(token: TokenFile, signal: AbortSignal): Promise<boolean> {
    const { log, file, clock } = this.#options;
    if (this.#tried?.text !== token.text) this.#tried = { text: token.text, sinceMono: clock.monotonicMs() };
    try {
      const identity = await joinWithToken(token.text, this.#options, signal);
      this.#keyPem = keyToPem(await loadKey(file.keyPath));
      this.#identity = identity;
      this.#keptAuthorities = authorityFingerprints(identity.trustBundlePem);
      this.#problem = null;
      await this.#drop(token);
      log.info({ cell: identity.cell, host: identity.host, user: identity.user }, 'enrolled');
      this.#changed.emit();
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const { message } = error as Error;
      const hasRunOut = clock.monotonicMs() - this.#tried.sinceMono >= TOKEN_LIFETIME_MAX_MS;
      const end = hasRunOut ? '; the token ran out meanwhile: make a new one with "fleet token"' : '';
      this.#problem = `not enrolled: ${message}${end}`;
      log.error({ err: message, hasRunOut }, 'enrolment failed');
      if (hasRunOut || (error instanceof FleetError && !error.retryable)) await this.#drop(token);
      return false;
    }
  }

  async #drop(token: TokenFile): Promise<void> {
    this.#tried = null;
    try {
      await token.done();
    } catch (error) {
      this.#options.log.error({ err: error }, 'join token could not be removed');
    }
  }
}
