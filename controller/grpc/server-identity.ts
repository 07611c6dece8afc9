/**
 * The controller's own certificate: a key made for this run, held in memory only, a leaf of the cell's authority,
 * and a new leaf at two thirds of its life.
 */
import type { KeyObject } from 'node:crypto';
import type { Authority } from '../../src/identity/authority.ts';
import { readCertificate, renewalDueMs } from '../../src/identity/certificate.ts';
import { keyToPem, makeKey } from '../../src/identity/key.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { TlsMaterial } from './tls-front.ts';

/** The wall clock may jump: look again at least this often. */
const LOOK_EVERY_MS = 60_000;

export class ServerIdentity {
  readonly #authority: Authority;
  readonly #clock: Clock;
  readonly #options: { name: string; lifetimeMs: number };
  readonly #key: KeyObject = makeKey();
  #timer: NodeJS.Timeout | null = null;
  #leafPem: string;
  #onRenewed: (material: TlsMaterial) => void = () => undefined;

  constructor(authority: Authority, clock: Clock, options: { name: string; lifetimeMs: number }) {
    this.#authority = authority;
    this.#clock = clock;
    this.#options = options;
    this.#leafPem = this.#issue();
  }

  get material(): TlsMaterial {
    return {
      certificatePem: this.#leafPem + this.#authority.pem,
      keyPem: keyToPem(this.#key),
      trustPem: this.#authority.trustPem,
    };
  }

  /** `onRenewed` is called with each new leaf, until `stop`. */
  start(onRenewed: (material: TlsMaterial) => void): void {
    this.#onRenewed = onRenewed;
    this.#wait();
  }

  /** A new leaf now: another authority signs, or is trusted. */
  renew(): void {
    this.#leafPem = this.#issue();
    this.#onRenewed(this.material);
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }

  #wait(): void {
    const { notBeforeMs, notAfterMs } = readCertificate(this.#leafPem);
    const waitMs = renewalDueMs({ notBeforeMs, notAfterMs }) - this.#clock.nowMs();
    this.#timer = setTimeout(
      () => {
        if (this.#clock.nowMs() >= renewalDueMs({ notBeforeMs, notAfterMs })) this.renew();
        this.#wait();
      },
      Math.min(Math.max(waitMs, 100), LOOK_EVERY_MS),
    );
  }

  #issue(): string {
    const { cell } = this.#authority;
    const { name, lifetimeMs } = this.#options;
    const nowMs = this.#clock.nowMs();
    return this.#authority.issue({ kind: 'controller', cell, name }, this.#key, { nowMs, lifetimeMs });
  }
}
