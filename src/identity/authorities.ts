/**
 * The authorities of one cell: one signs, those that come and that leave are trusted beside it. A rotation is files in one
 * folder, each step in an order in which a crash leaves the step before or the step after.
 */
import { type KeyObject, X509Certificate } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FleetError } from '../domain/errors.ts';
import {
  type Authority,
  authorityFingerprint,
  CertificateAuthority,
  makeAuthority,
  openAuthority,
  readIfThere,
} from './authority.ts';
import { keyToPem, loadKey } from './key.ts';
import { writePrivateFile } from './private-file.ts';
import type { SpiffeId } from './spiffe-id.ts';
import { bundleFromPem, type TrustBundles } from './trust.ts';

/**
 *     none ──begin──▶ begun ──switch──▶ switched ──finish──▶ none
 *       ▲───abort──────┘
 *
 * begun: the next one is trusted, too. switched: it signs, and the old one is still trusted.
 */
export type RotationPhase = 'none' | 'begun' | 'switched';

/** How many that left are remembered: hosts that were away come back with leaves of theirs. */
const MAX_RETIRED = 8;

interface Held {
  signing: CertificateAuthority;
  next: { authority: CertificateAuthority; key: KeyObject } | null;
  old: X509Certificate | null;
  retired: X509Certificate[];
}

export class Authorities implements Authority {
  readonly cell: string;
  readonly #folder: string;
  #held: Held;

  private constructor(folder: string, cell: string, held: Held) {
    this.#folder = folder;
    this.cell = cell;
    this.#held = held;
  }

  /** As `openAuthority`; a step of a rotation that a crash cut short is ended or taken back. */
  static async open(folder: string, cell: string, nowMs: number): Promise<Authorities> {
    return new Authorities(folder, cell, await readHeld(folder, cell, nowMs));
  }

  get phase(): RotationPhase {
    return this.#held.old !== null ? 'switched' : this.#held.next !== null ? 'begun' : 'none';
  }

  /** The one that signs. */
  get certificate(): X509Certificate {
    return this.#held.signing.certificate;
  }

  get pem(): string {
    return this.#held.signing.pem;
  }

  get fingerprint(): string {
    return this.#held.signing.fingerprint;
  }

  /** begun: the next one. switched: the one that leaves. */
  get other(): X509Certificate | null {
    return this.#held.old ?? this.#held.next?.authority.certificate ?? null;
  }

  get trusted(): readonly X509Certificate[] {
    return this.other === null ? [this.certificate] : [this.certificate, this.other];
  }

  get trustPem(): string {
    return this.trusted.map(String).join('');
  }

  get bundles(): TrustBundles {
    return new Map([[this.cell, this.trusted]]);
  }

  /** Those that left: their leaves prove nothing any more but that their key was certified once. */
  get retired(): TrustBundles {
    return new Map([[this.cell, this.#held.retired]]);
  }

  isTrusted(fingerprint: string): boolean {
    return this.trusted.some((authority) => authorityFingerprint(authority) === fingerprint);
  }

  issue(id: SpiffeId, key: KeyObject, options: { nowMs: number; lifetimeMs: number }): string {
    return this.#held.signing.issue(id, key, options);
  }

  /** A new authority, made here and trusted from now on; again: nothing. */
  async begin(nowMs: number): Promise<void> {
    if (this.phase === 'switched') throw tooLate('the rotation before is not finished', 'finish');
    if (this.phase === 'begun') return;
    const next = makeAuthority(this.cell, nowMs);
    await writePrivateFile(this.#path('ca-next.key'), keyToPem(next.key));
    await writePrivateFile(this.#path('ca-next.crt'), next.authority.pem);
    this.#held = { ...this.#held, next };
  }

  /** The next one signs. Its key takes the place of the old one's, which is gone then. */
  async switch(): Promise<void> {
    if (this.phase === 'switched') return;
    const { next, signing } = this.#held;
    if (next === null) throw tooLate('no rotation is under way', 'begin');
    await writePrivateFile(this.#path('ca-old.crt'), signing.pem);
    await writePrivateFile(this.#path('ca.key'), keyToPem(next.key));
    await writePrivateFile(this.#path('ca.crt'), next.authority.pem);
    await removeNext(this.#folder);
    this.#held = { ...this.#held, signing: next.authority, next: null, old: signing.certificate };
  }

  /** The old one is trusted no more. */
  async finish(): Promise<void> {
    const { old } = this.#held;
    if (old === null) throw tooLate('the old authority still signs', this.phase === 'none' ? 'begin' : 'switch');
    const retired = [old, ...this.#held.retired].slice(0, MAX_RETIRED);
    await writePrivateFile(this.#path('ca-retired.crt'), retired.map(String).join(''));
    await rm(this.#path('ca-old.crt'), { force: true });
    this.#held = { ...this.#held, old: null, retired };
  }

  /** As it was before `begin`; hosts that trust the given up one have nothing that it signed. */
  async abort(): Promise<void> {
    if (this.phase === 'switched') throw tooLate('the new authority signs already', 'finish');
    const { next } = this.#held;
    // Its key is in the place of the old one's, which is gone: without its certificate nobody could sign any more.
    if (next !== null && (await isKeyOf(this.#folder, next.authority.pem))) {
      throw tooLate('a switch was cut short', 'switch');
    }
    await removeNext(this.#folder);
    this.#held = { ...this.#held, next: null };
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

const tooLate = (why: string, step: string): FleetError =>
  new FleetError('FAILED_PRECONDITION', `${why}: "fleet controller rotate-ca ${step}" comes first`);

/** The certificate first: a key without one is nothing. */
const removeNext = async (folder: string): Promise<void> => {
  await rm(join(folder, 'ca-next.crt'), { force: true });
  await rm(join(folder, 'ca-next.key'), { force: true });
};

const readHeld = async (folder: string, cell: string, nowMs: number): Promise<Held> => {
  const nextPem = await readIfThere(join(folder, 'ca-next.crt'));
  if (nextPem !== null && (await isKeyOf(folder, nextPem))) {
    // A switch that was cut short after its point of no return.
    await writePrivateFile(join(folder, 'ca.crt'), nextPem);
    await removeNext(folder);
    return readHeld(folder, cell, nowMs);
  }
  const signing = await openAuthority(folder, cell, nowMs);
  const retired = bundleFromPem((await readIfThere(join(folder, 'ca-retired.crt'))) ?? '');
  const oldPem = await readIfThere(join(folder, 'ca-old.crt'));
  const isLeft = [signing.certificate, ...retired].some((one) => one.toString() === oldPem);
  // A switch that was cut short before it, or a finish after its own.
  if (isLeft) await rm(join(folder, 'ca-old.crt'), { force: true });
  const old = oldPem === null || isLeft ? null : new X509Certificate(oldPem);
  return { signing, next: nextPem === null ? null : await readNext(folder, cell, nextPem), old, retired };
};

const isKeyOf = async (folder: string, pem: string): Promise<boolean> => {
  const path = join(folder, 'ca.key');
  return (await readIfThere(path)) !== null && new X509Certificate(pem).checkPrivateKey(await loadKey(path));
};

const readNext = async (folder: string, cell: string, pem: string): Promise<Held['next']> => {
  const path = join(folder, 'ca-next.key');
  const certificate = new X509Certificate(pem);
  if ((await readIfThere(path)) !== null) {
    const key = await loadKey(path);
    if (certificate.checkPrivateKey(key)) return { authority: new CertificateAuthority(cell, certificate, key), key };
  }
  throw new FleetError(
    'DATA_LOSS',
    `${path} is not the key of ca-next.crt beside it: remove both, and the rotation is given up`,
  );
};
