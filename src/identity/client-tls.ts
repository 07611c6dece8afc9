/**
 * What a client of the controller needs for TLS, as plain options for `tls.createSecureContext` and a check of
 * the server's name. Names in DNS decide nothing: the one URI of the server's certificate does.
 */
import type { PeerCertificate, SecureContextOptions } from 'node:tls';
import { FleetError } from '../domain/errors.ts';
import { bundleFromPem, verifyPeer } from './trust.ts';

export interface ClientIdentityPem {
  /** null before enrolment. */
  certificatePem: string | null;
  keyPem: string | null;
  /** Authorities of the cell to be reached. */
  trustBundlePem: string;
  cell: string;
}

export interface ClientTls {
  secureContextOptions: SecureContextOptions;
  /** For `tls.connect` and grpc-js's `VerifyOptions`. */
  checkServerIdentity: (hostname: string, certificate: PeerCertificate) => Error | undefined;
}

/** A key and its certificate go together: pass both from one reading, or neither. */
export const clientTls = (identity: ClientIdentityPem, nowMs: () => number): ClientTls => ({
  secureContextOptions: {
    ca: identity.trustBundlePem,
    minVersion: 'TLSv1.3',
    ...(identity.certificatePem !== null && identity.keyPem !== null
      ? { cert: identity.certificatePem, key: identity.keyPem }
      : {}),
  },
  checkServerIdentity: serverIdentityCheck(identity.cell, identity.trustBundlePem, nowMs),
});

/** Accepts exactly a controller of `cell`, certified by one of the bundle's authorities. */
export const serverIdentityCheck = (
  cell: string,
  trustBundlePem: string,
  nowMs: () => number,
): ClientTls['checkServerIdentity'] => {
  const bundles = new Map([[cell, bundleFromPem(trustBundlePem)]]);
  return (hostname, certificate) => {
    const verdict = verifyPeer(certificate.raw, bundles, nowMs(), 'server');
    if (verdict.ok && verdict.id.kind === 'controller') return undefined;
    const who = verdict.uri ?? 'a server without an identity';
    const why = verdict.ok ? 'is no controller' : `is not accepted (${verdict.reason})`;
    return new FleetError('UNAUTHENTICATED', `${hostname}: ${who} ${why}; expected a controller of cell ${cell}`);
  };
};
