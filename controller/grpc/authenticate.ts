/**
 * From a connection's certificate to a caller. TLS has only shown that the peer holds the key: here the leaf is
 * judged against the authority of its own domain, and the identity against what is enrolled now.
 */
import type { TrustBundles } from '../../src/identity/trust.ts';
import { verifyPeer } from '../../src/identity/trust.ts';
import type { RefusalReason } from '../../src/wire/errors.ts';
import type { IdentityRecord, Records } from '../store/records.ts';
import { type Caller, GRANTABLE_VERBS, stranger, type Verb } from '../tenancy/caller.ts';
import { ceilingOf } from '../tenancy/ceilings.ts';

export interface Authentication {
  caller: Caller;
  /** Why a certificate that was shown does not count; for the log. Empty when none was shown, or it counts. */
  refusal: string;
  /** What its holder may hear of it; null unless the cell itself issued it. */
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

/** `leaf` is what the peer proved to hold in the handshake; null when it showed none. */
export const authenticate = (
  leaf: Uint8Array | null,
  peer: string,
  context: { records: Records; bundles: TrustBundles; nowMs: number },
): Authentication => {
  if (leaf === null) return { caller: stranger(peer), refusal: '', reason: null };
  const verdict = verifyPeer(leaf, context.bundles, context.nowMs, 'client');
  const refuse = (refusal: string, reason: RefusalReason | null): Authentication => ({
    caller: stranger(peer),
    refusal: `${verdict.uri ?? 'no identity'}: ${refusal}`,
    reason,
  });
  if (!verdict.ok && verdict.reason !== 'expired') {
    return refuse(verdict.reason, verdict.reason === 'not_yet_valid' ? 'not_yet_valid' : null);
  }
  const { uri } = verdict;
  if (uri === null || verdict.id === null || verdict.certificate === null) return refuse('no_identity', null);
  const { keyFingerprint, notAfterMs, serial } = verdict.certificate;
  const record = context.records.identities.get(uri);
  const standing = standingOf(record, { keyFingerprint, notAfterMs }, context.nowMs);
  if (record === undefined || standing !== null) return refuse(standing ?? 'not enrolled', standing);
  const certificate = { serial, keyFingerprint, notAfterMs };
  return { caller: callerOf(context.records, uri, record, { certificate, peer }), refusal: '', reason: null };
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
    spiffeId,
    host,
    user,
    machineId,
    tenantId,
    tenants: tenantsOf(record),
    role,
    verbs: verbsOf(record),
    ceiling: kind === 'host' ? ceilingOf(records, host, user) : [],
    quarantined,
    ...proof,
  };
};

/** Whether an open call was let in as somebody who sees or may do something else than its caller does now. */
export const hasChanged = (records: Records, caller: Caller, record: IdentityRecord): boolean => {
  const { tenantId, tenants, role, verbs } = callerOf(records, caller.spiffeId ?? '', record, caller);
  return (
    JSON.stringify([tenantId, tenants, role, verbs]) !==
    JSON.stringify([caller.tenantId, caller.tenants, caller.role, caller.verbs])
  );
};
