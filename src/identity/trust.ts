/**
 * Who a certificate proves its holder to be. A leaf counts only when the authority of the very domain that its
 * one name lies in signed it directly: TLS alone accepts any trusted authority for any name.
 */
import { X509Certificate } from 'node:crypto';
import { type CertificateFacts, type CertificateUse, readCertificate, splitPem } from './certificate.ts';
import { parseSpiffeId, type SpiffeId } from './spiffe-id.ts';

/** Cell name to the certificates of its authorities. */
export type TrustBundles = ReadonlyMap<string, readonly X509Certificate[]>;

export const bundleFromPem = (pem: string): X509Certificate[] => splitPem(pem).map((part) => new X509Certificate(part));

export type PeerRefusal =
  | 'unreadable'
  | 'no_identity'
  | 'unknown_domain'
  | 'foreign_authority'
  | 'other_domain'
  | 'wrong_use'
  | 'not_yet_valid'
  | 'expired';

export type PeerVerdict =
  | { ok: true; id: SpiffeId; uri: string; certificate: CertificateFacts; authority: X509Certificate }
  /** `id` and `authority` are set where only time or use speaks against a certificate that its domain did issue. */
  | {
      ok: false;
      reason: PeerRefusal;
      id: SpiffeId | null;
      uri: string | null;
      certificate: CertificateFacts | null;
      authority: X509Certificate | null;
    };

const USE_OID: Record<CertificateUse, string> = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' };

/** Of leaves that are held: which authority signed them and which did not is so for ever, whoever is trusted when. */
const SIGNED = new WeakMap<X509Certificate, WeakMap<X509Certificate, boolean>>();

const isSignedBy = (leaf: X509Certificate, authority: X509Certificate): boolean => {
  const judged = SIGNED.get(leaf) ?? new WeakMap<X509Certificate, boolean>();
  const known = judged.get(authority);
  if (known !== undefined) return known;
  const isSigned = authority.ca && leaf.checkIssued(authority) && leaf.verify(authority.publicKey);
  SIGNED.set(leaf, judged.set(authority, isSigned));
  return isSigned;
};

const signerOf = (leaf: X509Certificate, authorities: readonly X509Certificate[]): X509Certificate | undefined =>
  authorities.find((authority) => isSignedBy(leaf, authority));

/** Asked at every call of a connection; for as long as it holds these very bytes, which nobody writes to. */
const READ = new WeakMap<Uint8Array, CertificateFacts>();

const read = (leaf: string | Uint8Array): CertificateFacts => {
  if (typeof leaf === 'string') return readCertificate(leaf);
  const known = READ.get(leaf);
  if (known !== undefined) return known;
  const facts = readCertificate(leaf);
  READ.set(leaf, facts);
  return facts;
};

/** Whether the first authority of a bundle, the one that signs, signed this leaf. */
export const isOfSigner = (leafPem: string, trustBundlePem: string): boolean =>
  signerOf(readCertificate(leafPem).x509, bundleFromPem(trustBundlePem).slice(0, 1)) !== undefined;

/**
 * Revocation is not judged here: the store knows it. What the bytes say and who signed them is found out once; time, use and
 * whom to trust are judged each time.
 */
export const verifyPeer = (
  leaf: string | Uint8Array,
  bundles: TrustBundles,
  nowMs: number,
  use: CertificateUse,
): PeerVerdict => {
  let certificate: CertificateFacts;
  try {
    certificate = read(leaf);
  } catch {
    return { ok: false, reason: 'unreadable', id: null, uri: null, certificate: null, authority: null };
  }
  const { x509, uri } = certificate;
  const refuse = (reason: PeerRefusal, proven: SpiffeId | null = null, by: X509Certificate | null = null) => ({
    ok: false as const,
    reason,
    id: proven,
    uri,
    certificate,
    authority: by,
  });
  const id = uri === null || x509.ca ? null : parseSpiffeId(uri);
  if (id === null || uri === null) return refuse('no_identity');
  const own = bundles.get(id.cell);
  const authority = own === undefined ? undefined : signerOf(x509, own);
  if (authority === undefined) {
    const elsewhere = [...bundles.values()].some((authorities) => signerOf(x509, authorities) !== undefined);
    return refuse(elsewhere ? 'other_domain' : own === undefined ? 'unknown_domain' : 'foreign_authority');
  }
  if (!x509.keyUsage?.includes(USE_OID[use])) return refuse('wrong_use', id, authority);
  if (nowMs < certificate.notBeforeMs) return refuse('not_yet_valid', id, authority);
  if (nowMs >= certificate.notAfterMs) return refuse('expired', id, authority);
  return { ok: true, id, uri, certificate, authority };
};
