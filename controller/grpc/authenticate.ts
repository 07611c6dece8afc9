/**
 * From a connection's certificate to a caller. TLS has only shown that the peer holds the key: here the leaf is
 * judged against the authority of its own domain, and the identity against what is enrolled now.
 */
import { authorityFingerprint } from '../../src/identity/authority.ts';
import type { CertificateFacts } from '../../src/identity/certificate.ts';
import type { SpiffeId } from '../../src/identity/spiffe-id.ts';
import { bundleFromPem, type PeerVerdict, type TrustBundles, verifyPeer } from '../../src/identity/trust.ts';
import type { RefusalReason } from '../../src/wire/errors.ts';
import type { IdentityRecord, Records } from '../store/records.ts';
import { type Caller, GRANTABLE_VERBS, stranger, type Verb } from '../tenancy/caller.ts';
import { ceilingOf } from '../tenancy/ceilings.ts';
import type { PeerGrants } from '../tenancy/peer-grants.ts';

export interface Authentication {
  caller: Caller;
  /** Why a certificate that was shown does not count; for the log. Empty when none was shown, or it counts. */
  refusal: string;
  /** What its holder may hear of it; null unless the cell itself, or a peer, issued it. */
  reason: RefusalReason | null;
}

/** Enrolling is renewing, for whoever has an identity. */
const verbsOf = ({ kind, role, takeover }: Pick<IdentityRecord, 'kind' | 'role' | 'takeover'>): Verb[] => {
  if (kind === 'host') return ['read', 'report', 'enroll', ...GRANTABLE_VERBS];
  if (role === 'viewer') return ['read', 'enroll'];
  if (role === 'admin') return ['read', 'enroll', 'admin', ...GRANTABLE_VERBS];
  return ['read', 'enroll', ...GRANTABLE_VERBS.filter((verb) => verb !== 'takeover' || takeover === true)];
};

const tenantsOf = ({ kind, role, tenantId, tenants }: IdentityRecord): Caller['tenants'] => {
  if (kind === 'operator' && role === 'admin') return 'all';
  return kind === 'operator' ? (tenants ?? [tenantId]) : [tenantId];
};

/** Why an enrolled identity is refused now, or null. Judged at each call, and again while streams live. */
export const standingOf = (
  record: IdentityRecord | undefined,
  certificate: { keyFingerprint: string; notAfterMs: number },
  nowMs: number,
): RefusalReason | null => {
  if (record === undefined || record.revoked || record.keyFingerprint !== certificate.keyFingerprint) return 'revoked';
  // A stream outlives the certificate it began with for as long as the same key has a newer one.
  return nowMs < Math.max(certificate.notAfterMs, record.certificateNotAfterMs) ? null : 'certificate_expired';
};

export interface AuthenticationContext {
  records: Records;
  bundles: TrustBundles;
  /** Authorities that the cell trusted once: connections of theirs may live on. */
  retired?: TrustBundles | undefined;
  /** Without them nobody is a peer. */
  grants?: Pick<PeerGrants, 'of'>;
  nowMs: number;
}

/**
 * A connection outlives the authority that it began with for as long as the same key has a certificate of one that is
 * trusted now: `issuers` are the authorities of both.
 */
export const isOfTrusted = (issuers: readonly (string | undefined)[], bundles: TrustBundles): boolean =>
  [...bundles.values()].flat().some((authority) => issuers.includes(authorityFingerprint(authority)));

/** `leaf` is what the peer proved to hold in the handshake; null when it showed none. */
export const authenticate = (leaf: Uint8Array | null, peer: string, context: AuthenticationContext): Authentication => {
  if (leaf === null) return { caller: stranger(peer), refusal: '', reason: null };
  const { verdict, authority } = judged(leaf, context);
  const refuse = (refusal: string, reason: RefusalReason | null): Authentication => ({
    caller: stranger(peer),
    refusal: `${verdict.uri ?? 'no identity'}: ${refusal}`,
    reason,
  });
  if (!verdict.ok && verdict.reason !== 'expired') {
    if (verdict.reason === 'unknown_domain' && wasPeers(leaf, context))
      return refuse('a peer that was removed', 'revoked');
    return refuse(verdict.reason, verdict.reason === 'not_yet_valid' ? 'not_yet_valid' : null);
  }
  const { uri, id } = verdict;
  if (uri === null || id === null || verdict.certificate === null) return refuse('no_identity', null);
  const proven = { uri, certificate: verdict.certificate, authority, peer };
  const isPeers = context.records.peers.get(id.cell)?.state === 'active';
  if (isPeers && context.grants !== undefined) {
    if (!verdict.ok) return refuse('expired', 'certificate_expired');
    if (id.kind !== 'controller') return refuse('only its controller speaks for a peer', null);
    return { caller: peerCaller(id, context.grants, proven), refusal: '', reason: null };
  }
  const { keyFingerprint, notAfterMs, serial } = verdict.certificate;
  const record = context.records.identities.get(uri);
  const standing = standingOf(record, { keyFingerprint, notAfterMs }, context.nowMs);
  if (record === undefined || standing !== null) return refuse(standing ?? 'not enrolled', standing);
  if (!isOfTrusted([authority, record.authority], context.bundles)) {
    return refuse('its authority was retired', 'certificate_expired');
  }
  const certificate = { serial, keyFingerprint, notAfterMs, authority };
  return { caller: callerOf(context.records, uri, record, { certificate, peer }), refusal: '', reason: null };
};

/** Of a peer that is none any more, invited anew or not: it may hear so, as long as its old bundle proves it. */
const wasPeers = (leaf: Uint8Array, { records, nowMs }: AuthenticationContext): boolean => {
  const bundles = new Map(
    [...records.peers.entries()]
      .filter(([, { state, trustBundlePem }]) => state !== 'active' && trustBundlePem !== '')
      .map(([cell, { trustBundlePem }]) => [cell, bundleFromPem(trustBundlePem)]),
  );
  const verdict = verifyPeer(leaf, bundles, nowMs, 'client');
  return verdict.ok && verdict.id.kind === 'controller';
};

interface Proven {
  uri: string;
  certificate: CertificateFacts;
  /** Fingerprint of the one that signed it. */
  authority: string;
  peer: string;
}

/** A peer's controller: it may do nothing but what was granted to its cell, whichever certificate of it calls. */
const peerCaller = (
  { cell }: SpiffeId,
  grants: Pick<PeerGrants, 'of'>,
  { uri, certificate, authority, peer }: Proven,
): Caller => {
  const held = grants.of(cell);
  const granted = new Set<string>(held.now.verbs);
  const { serial, keyFingerprint, notAfterMs } = certificate;
  return {
    ...stranger(peer),
    kind: 'controller',
    name: cell,
    cell,
    spiffeId: uri,
    verbs: ['read', ...GRANTABLE_VERBS.filter((verb) => verb !== 'deploy' && granted.has(verb))],
    grants: held,
    certificate: { serial, keyFingerprint, notAfterMs, authority },
  };
};

/** By an authority that is trusted now, or else by one that was when the connection began. */
const judged = (
  leaf: Uint8Array,
  { bundles, retired, nowMs }: AuthenticationContext,
): { verdict: PeerVerdict; authority: string } => {
  const now = verifyPeer(leaf, bundles, nowMs, 'client');
  const isForeign = !now.ok && now.reason === 'foreign_authority';
  const before = isForeign && retired !== undefined ? verifyPeer(leaf, retired, nowMs, 'client') : now;
  const verdict = before.authority === null ? now : before;
  return { verdict, authority: verdict.authority === null ? '' : authorityFingerprint(verdict.authority) };
};

/** What an identity is and may do by what is enrolled and allowed now; whether it stands is not asked here. */
export const callerOf = (
  records: Records,
  spiffeId: string,
  record: IdentityRecord,
  proof: Pick<Caller, 'certificate' | 'peer'>,
): Caller => {
  const { kind, name, host, user, machineId, tenantId, role, quarantined = false } = record;
  return {
    kind,
    name: kind === 'host' ? user : name,
    cell: '',
    spiffeId,
    host,
    user,
    machineId,
    tenantId,
    tenants: tenantsOf(record),
    role,
    verbs: verbsOf(record),
    ceiling: kind === 'host' ? ceilingOf(records, host, user) : [],
    grants: null,
    onBehalfOf: null,
    quarantined,
    ...proof,
  };
};

/** Whether an open call was let in as somebody who sees or may do something else than its caller does now. */
export const hasChanged = (records: Records, caller: Caller, record: IdentityRecord): boolean => {
  const { certificate, peer } = caller;
  const now = callerOf(records, caller.spiffeId ?? '', record, { certificate, peer });
  return scopeIn(now) !== scopeIn(caller);
};

const scopeIn = ({ tenantId, tenants, role, verbs }: Caller): string =>
  JSON.stringify([tenantId, tenants, role, verbs]);
