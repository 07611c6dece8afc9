/**
 * Certificates of one profile: P-256, ECDSA with SHA-256, exactly one name, a SPIFFE URI. Encodes and signs them,
 * and reads the facts that the rest asks of one.
 */
import { createHash, createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { FleetError } from '../domain/errors.ts';
import * as der from './der.ts';
import { publicKeyDer } from './key.ts';

/**
 * How far before its making a certificate begins to be valid. A machine whose hardware clock keeps local time
 * may be 14 h behind until its first time sync, and must be able to join.
 */
export const BACKDATED_MS = 24 * 3_600_000;

const EXTENDED_USAGE = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;
export type CertificateUse = keyof typeof EXTENDED_USAGE;

/** What stands before the serial number, except in certificates of the first version. */
const VERSION_TAG = 0xa0;

const ECDSA_SHA256 = der.sequence(der.oid('1.2.840.10045.4.3.2'));
const nameOf = (text: string): Buffer => der.sequence(der.setOf(der.sequence(der.oid('2.5.4.3'), der.utf8(text))));

const extension = (id: string, critical: boolean, content: Uint8Array): Buffer =>
  der.sequence(der.oid(id), ...(critical ? [der.boolean(true)] : []), der.octets(content));

/** RFC 5280 4.2.1.2, method 1; a P-256 key's point is the last 65 bytes of its SubjectPublicKeyInfo. */
const keyIdentifier = (key: KeyObject): Buffer => createHash('sha1').update(publicKeyDer(key).subarray(-65)).digest();

export interface CertificateRequest {
  /** Common names are for people only; nothing is decided by them. */
  subject: string;
  issuer: string;
  uri: string;
  key: KeyObject;
  issuerKey: KeyObject;
  /** `null`: an authority that may sign leaves but no other authority. */
  uses: readonly CertificateUse[] | null;
  notBeforeMs: number;
  notAfterMs: number;
}

/** PEM of a new certificate with a random serial number. */
export const signCertificate = (request: CertificateRequest): string => {
  const { key, issuerKey, uses } = request;
  const authority = uses === null;
  const extensions = der.sequence(
    extension('2.5.29.19', true, der.sequence(...(authority ? [der.boolean(true), der.integer(Buffer.of(0))] : []))),
    extension('2.5.29.15', true, authority ? der.bits(Buffer.of(0x06), 1) : der.bits(Buffer.of(0x80), 7)),
    ...(authority
      ? []
      : [extension('2.5.29.37', false, der.sequence(...uses.map((use) => der.oid(EXTENDED_USAGE[use]))))]),
    extension('2.5.29.14', false, der.octets(keyIdentifier(key))),
    extension('2.5.29.35', false, der.sequence(der.taggedBytes(0, keyIdentifier(createPublicKey(issuerKey))))),
    extension('2.5.29.17', false, der.sequence(der.taggedBytes(6, Buffer.from(request.uri, 'ascii')))),
  );
  const serial = randomBytes(16);
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  const body = der.sequence(
    der.tagged(0, der.integer(Buffer.of(2))),
    der.integer(serial),
    ECDSA_SHA256,
    nameOf(request.issuer),
    der.sequence(der.time(request.notBeforeMs), der.time(request.notAfterMs)),
    nameOf(request.subject),
    publicKeyDer(key),
    der.tagged(3, extensions),
  );
  const whole = der.sequence(body, ECDSA_SHA256, der.bits(sign('sha256', body, issuerKey)));
  return new X509Certificate(whole).toString();
};

export interface CertificateFacts {
  x509: X509Certificate;
  /** The one URI that names it; null where there is none, or more than one name of any sort. */
  uri: string | null;
  notBeforeMs: number;
  notAfterMs: number;
  /** Lower-case hex. */
  serial: string;
  keyFingerprint: string;
}

/** The SubjectPublicKeyInfo as it stands there (RFC 5280 4.1): OpenSSL takes longer to write it anew than to read it all. */
const subjectKeyDer = (certificate: Buffer): Uint8Array => {
  const [body] = der.elements(der.elements(certificate)[0]?.content ?? Buffer.of());
  const [serial, , , , , key] = der.elements(body?.content ?? Buffer.of()).filter(({ tag }) => tag !== VERSION_TAG);
  if (serial === undefined || key === undefined) throw new FleetError('INVALID_ARGUMENT', 'not an X.509 certificate');
  return key.whole;
};

/** INVALID_ARGUMENT for what is no certificate. */
export const readCertificate = (pemOrDer: string | Uint8Array): CertificateFacts => {
  let x509: X509Certificate;
  try {
    x509 = new X509Certificate(pemOrDer);
  } catch (error) {
    throw new FleetError('INVALID_ARGUMENT', 'not an X.509 certificate', { cause: error });
  }
  // OpenSSL's text joins names with ", "; one that needs quoting or joining does not match.
  const uri = /^URI:([!#-+\--~]+)$/.exec(x509.subjectAltName ?? '')?.[1] ?? null;
  return {
    x509,
    uri,
    notBeforeMs: x509.validFromDate.getTime(),
    notAfterMs: x509.validToDate.getTime(),
    serial: x509.serialNumber.toLowerCase(),
    keyFingerprint: createHash('sha256').update(subjectKeyDer(x509.raw)).digest('hex'),
  };
};

/** Wall-clock milliseconds at which a leaf should be renewed: two thirds of its life after its making. */
export const renewalDueMs = (facts: Pick<CertificateFacts, 'notBeforeMs' | 'notAfterMs'>): number => {
  const madeMs = Math.min(facts.notBeforeMs + BACKDATED_MS, facts.notAfterMs);
  return madeMs + ((facts.notAfterMs - madeMs) * 2) / 3;
};

/** The certificates of a PEM text, one PEM each. */
export const splitPem = (pem: string): string[] =>
  pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/g) ?? [];
