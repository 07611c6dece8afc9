/**
 * A cell's own certificate authority: its key and certificate live in two files of its folder, the key never
 * leaves it. Leaves are signed by it directly; it makes no other authority.
 */
import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BugError, FleetError } from '../domain/errors.ts';
import { BACKDATED_MS, type CertificateUse, readCertificate, signCertificate } from './certificate.ts';
import { keyToPem, loadKey, makeKey, publicKeyDer } from './key.ts';
import { writePrivateFile } from './private-file.ts';
import { formatSpiffeId, isCellName, type SpiffeId } from './spiffe-id.ts';
import { bundleFromPem, type TrustBundles, verifyPeer } from './trust.ts';

export const LEAF_LIFETIME_MS = 7 * 24 * 3_600_000;
const AUTHORITY_LIFETIME_MS = 10 * 365.25 * 24 * 3_600_000;

const USES: Record<SpiffeId['kind'], readonly CertificateUse[]> = {
  host: ['client'],
  operator: ['client'],
  controller: ['server', 'client'],
};

/** Subject and issuer: TLS looks for a leaf's issuer by it, among the authorities of every cell. */
export const authorityName = (cell: string): string => `fleet cell ${cell}`;

/** Asked at every call. */
const FINGERPRINTS = new WeakMap<X509Certificate, string>();

/** What a token carries to know the cell by: SHA-256 of its authority's public key, lower-case hex. */
export const authorityFingerprint = (authority: X509Certificate): string => {
  const known = FINGERPRINTS.get(authority);
  if (known !== undefined) return known;
  const made = createHash('sha256').update(publicKeyDer(authority.publicKey)).digest('hex');
  FINGERPRINTS.set(authority, made);
  return made;
};

/** Of every authority in a PEM text, in its order. */
export const authorityFingerprints = (pem: string): string[] => bundleFromPem(pem).map(authorityFingerprint);

/** What signs for a cell, and whom the cell trusts: one authority, or several of which one signs. */
export interface Authority {
  readonly cell: string;
  /** Of the one that signs. */
  readonly pem: string;
  readonly fingerprint: string;
  /** Every authority whose leaves count, the one that signs first. */
  readonly trustPem: string;
  readonly bundles: TrustBundles;
  issue(id: SpiffeId, key: KeyObject, options: { nowMs: number; lifetimeMs: number }): string;
}

export class CertificateAuthority implements Authority {
  readonly cell: string;
  readonly certificate: X509Certificate;
  readonly #key: KeyObject;

  constructor(cell: string, certificate: X509Certificate, key: KeyObject) {
    this.cell = cell;
    this.certificate = certificate;
    this.#key = key;
  }

  get pem(): string {
    return this.certificate.toString();
  }

  get trustPem(): string {
    return this.pem;
  }

  get fingerprint(): string {
    return authorityFingerprint(this.certificate);
  }

  get bundles(): TrustBundles {
    return new Map([[this.cell, [this.certificate]]]);
  }

  /** PEM of a leaf for `key`, valid from a day ago to `lifetimeMs` from now (the authority's own end at most). */
  issue(id: SpiffeId, key: KeyObject, options: { nowMs: number; lifetimeMs: number }): string {
    const uri = formatSpiffeId(id);
    if (id.cell !== this.cell) throw new BugError(`authority of ${this.cell} asked to sign for ${id.cell}`);
    const pem = signCertificate({
      subject: `fleet ${id.kind}`,
      issuer: authorityName(this.cell),
      uri,
      key,
      issuerKey: this.#key,
      uses: USES[id.kind],
      notBeforeMs: options.nowMs - BACKDATED_MS,
      notAfterMs: Math.min(options.nowMs + options.lifetimeMs, this.certificate.validToDate.getTime()),
    });
    const verdict = verifyPeer(pem, this.bundles, options.nowMs, 'client');
    if (!verdict.ok && verdict.reason !== 'expired') throw new BugError(`own leaf refused: ${verdict.reason}`);
    return pem;
  }
}

/** A new authority, in memory only. */
export const makeAuthority = (cell: string, nowMs: number): { authority: CertificateAuthority; key: KeyObject } => {
  if (!isCellName(cell)) {
    throw new FleetError('INVALID_ARGUMENT', `cell name ${JSON.stringify(cell)}: use 1 to 63 of a-z 0-9 . -`);
  }
  const key = makeKey();
  const pem = signCertificate({
    subject: authorityName(cell),
    issuer: authorityName(cell),
    uri: `spiffe://${cell}`,
    key,
    issuerKey: key,
    uses: null,
    notBeforeMs: nowMs - BACKDATED_MS,
    notAfterMs: nowMs + AUTHORITY_LIFETIME_MS,
  });
  return { authority: new CertificateAuthority(cell, new X509Certificate(pem), key), key };
};

/** Text of a file; null where there is none. Rejects when it is there and cannot be read. */
export const readIfThere = async (path: string): Promise<string | null> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
};

/** The cell whose authority lives in `folder`, or null where there is none. */
export const authorityCell = async (folder: string): Promise<string | null> => {
  const pem = await readIfThere(join(folder, 'ca.crt'));
  return pem === null
    ? null
    : (/^URI:spiffe:\/\/(.+)$/.exec(readCertificate(pem).x509.subjectAltName ?? '')?.[1] ?? null);
};

/**
 * The authority of `folder` (`ca.key`, `ca.crt`), made for `cell` where there is none. FAILED_PRECONDITION when
 * the folder is another cell's, DATA_LOSS when key and certificate do not belong together: hosts trust exactly
 * this key, so it is never replaced by itself.
 */
export const openAuthority = async (folder: string, cell: string, nowMs: number): Promise<CertificateAuthority> => {
  const keyPath = join(folder, 'ca.key');
  const certificatePath = join(folder, 'ca.crt');
  const pem = await readIfThere(certificatePath);
  if (pem === null) {
    // A key without a certificate is what a crash between the two writes leaves: nothing was signed with it yet.
    const { authority, key } = makeAuthority(cell, nowMs);
    await writePrivateFile(keyPath, keyToPem(key));
    await writePrivateFile(certificatePath, authority.pem);
    return authority;
  }
  const broken = (what: string): FleetError =>
    new FleetError('DATA_LOSS', `${what}: restore ca.key and ca.crt in ${folder} from a backup; hosts trust only them`);
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw broken(`${certificatePath} holds no certificate`);
  }
  if ((await readIfThere(keyPath)) === null) throw broken(`${keyPath} is missing`);
  const key = await loadKey(keyPath);
  if (!certificate.checkPrivateKey(key)) throw broken(`${keyPath} is not the key of ${certificatePath}`);
  if (certificate.subjectAltName !== `URI:spiffe://${cell}`) {
    throw new FleetError(
      'FAILED_PRECONDITION',
      `${folder} holds the authority of ${certificate.subjectAltName ?? 'nobody'}, not of cell ${cell}: use that cell name`,
    );
  }
  return new CertificateAuthority(cell, certificate, key);
};
