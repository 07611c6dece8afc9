/**
 * A key made where it is used becomes an identity by a token, and stays one by renewal. Who it is comes from the token
 * or the present certificate; a request's own word counts only where a host's token leaves it open.
 */
import type { KeyObject } from 'node:crypto';
import { FleetError } from '../../src/domain/errors.ts';
import { DEFAULT_TENANT } from '../../src/domain/tenant.ts';
import { type Authority, authorityFingerprints } from '../../src/identity/authority.ts';
import { readCertificate } from '../../src/identity/certificate.ts';
import { openCsr } from '../../src/identity/csr.ts';
import { keyFingerprint } from '../../src/identity/key.ts';
import { formatSpiffeId, isIdentityName, type SpiffeId } from '../../src/identity/spiffe-id.ts';
import { hashTokenSecret } from '../../src/identity/token.ts';
import { type TrustBundles, verifyPeer } from '../../src/identity/trust.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type {
  CertificateResponse,
  EnrollRequest,
  RenewRequest,
} from '../../src/wire/gen/fleet/v1/enrollment_messages.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { IdentityRecord, InvitedRecord, Records, TokenRecord } from '../store/records.ts';
import { boundTenant, keepingBinding } from '../tenancy/bindings.ts';
import { actorOf, type Caller } from '../tenancy/caller.ts';
import type { Subject } from '../tenancy/subject.ts';
import { isTenant } from '../tenancy/tenants.ts';
import { requireFree, rivalsOf } from './claims.ts';
import type { FailureLimit } from './failure-limit.ts';
import { limitedAttempt } from './limited-attempt.ts';

type Enrolled = Omit<
  IdentityRecord,
  'keyFingerprint' | 'certificateSerial' | 'certificateNotAfterMs' | 'enrolledMs' | 'version' | 'revoked'
>;

/** Whoever was off this long after its certificate ended must be enrolled anew. */
const RENEWABLE_AFTER_EXPIRY_MS = 90 * 24 * 3_600_000;

export interface EnrollmentContext {
  authority: Authority;
  /** Authorities that the cell trusted once: a key that one of them certified may be renewed. */
  retired?: () => TrustBundles;
  records: Records;
  audit: AuditLog;
  limit: FailureLimit;
  clock: Clock;
  log: Logger;
  /** Present addresses of the controller, host:port. */
  addresses: () => string[];
  leafLifetimeMs: number;
}

const notAccepted = (): FleetError =>
  new FleetError('PERMISSION_DENIED', 'the token is not accepted: it is unknown, used or out of date; make a new one');

const notRenewed = (): FleetError =>
  new FleetError('PERMISSION_DENIED', 'not renewed: this identity is not accepted; enrol anew with a new token');

const meanwhile = (what: string): FleetError =>
  new FleetError('ABORTED', `the ${what} changed at this moment: try again`, { retryable: true });

export class Enrollment {
  readonly #context: EnrollmentContext;
  /** Enrolments one after the other: each sees the names that the one before took. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(context: EnrollmentContext) {
    this.#context = context;
  }

  /** PERMISSION_DENIED for the token, ALREADY_EXISTS for the name, INVALID_ARGUMENT for the request. */
  enroll(caller: Caller, request: EnrollRequest): Promise<CertificateResponse> {
    return limitedAttempt(this.#context, caller, 'enroll', () => this.#inTurn(() => this.#enroll(caller, request)));
  }

  /** Over mTLS, or with a certificate that ran out; the key must be the enrolled one. */
  renew(caller: Caller, request: RenewRequest): Promise<CertificateResponse> {
    return limitedAttempt(this.#context, caller, 'renew', () => this.#inTurn(() => this.#renew(caller, request)));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #enroll(caller: Caller, request: EnrollRequest): Promise<CertificateResponse> {
    const { records, clock, audit, authority } = this.#context;
    const key = openCsr(request.csr);
    const fingerprint = keyFingerprint(key);
    const tokenName = hashTokenSecret(request.secret);
    const token = records.tokens.get(tokenName);
    if (token === undefined) throw notAccepted();
    if (token.used !== null) return this.#sameAgain(token, fingerprint);
    const nowMs = clock.nowMs();
    if (nowMs >= token.expiresMs) throw notAccepted();
    const known =
      token.operator === undefined ? this.#hostOf(token, request) : this.#operatorOf(token.operator, fingerprint);
    const tenants = known.tenants ?? [known.tenantId];
    // Removed since the token was made.
    if (!tenants.every((id) => isTenant(records, id))) throw notAccepted();
    const uri = formatSpiffeId(idOf(authority.cell, known));
    const displaced = known.kind === 'host' ? rivalsOf(records, known) : [];
    const names = displaced.map((rival) => rival.uri).join(' ');
    const reason = `token of ${token.createdBy}${names === '' ? '' : `; replaces ${names}`}`;
    const place = placeOf(known);
    const others = displaced.filter((rival) => rival.uri !== uri);
    // Of what was judged, as it was then: whatever changes while this is written down, a revocation above all, comes first.
    const expect = [
      records.tokens.expectation(tokenName),
      records.identities.expectation(uri),
      ...others.map((rival) => records.identities.expectation(rival.uri)),
      ...(place === null ? [] : [records.bindings.expectation(place)]),
      ...tenants.map((id) => records.tenants.expectation(id)),
    ];
    await audit.record({
      actor: actorOf(caller),
      verb: 'enroll',
      ...subjectOf(known, uri),
      outcome: 'allowed',
      reason,
    });
    const issued = this.#issue(key, known, request.version);
    const { certificatePem } = issued;
    const record = { ...issued.record, trusts: authorityFingerprints(authority.trustPem) };
    const used = { keyFingerprint: fingerprint, certificatePem, uri, atMs: nowMs };
    const binding = { tenantId: known.tenantId, boundMs: nowMs, boundBy: token.createdBy };
    const committed = await records.store.commit({
      expect,
      put: [
        records.tokens.writing(tokenName, { ...token, used }),
        // Its own name's last bearer is written over.
        ...others.map((rival) => records.identities.writing(rival.uri, { ...rival.record, revoked: true })),
        records.identities.writing(uri, { ...record, ...quarantineOf(records.identities.get(uri)) }),
        ...(place === null ? [] : keepingBinding(records, known, binding)),
      ],
      // Whoever bears their names next is no heir to whose they were, nor to what was allowed to them.
      remove: others
        .map((rival) => `${rival.record.host}/${rival.record.user}`)
        .flatMap((name) => [records.bindings.keyOf(name), records.ceilings.keyOf(name)]),
    });
    if (committed === null) throw meanwhile('token, name or tenant');
    const facts = { identity: uri, machineId: known.machineId, replaced: displaced.length };
    this.#context.log.info(facts, `${known.kind} enrolled`);
    return this.#response(certificatePem, record);
  }

  /** The reply was lost: the same key gets the same certificate, unless the identity moved on since. */
  #sameAgain(token: TokenRecord, fingerprint: string): CertificateResponse {
    const { used } = token;
    const record = used === null ? undefined : this.#context.records.identities.get(used.uri);
    if (used?.keyFingerprint !== fingerprint || record === undefined) throw notAccepted();
    if (record.revoked || record.keyFingerprint !== fingerprint) throw notAccepted();
    return this.#response(used.certificatePem, record);
  }

  #hostOf(token: TokenRecord, request: EnrollRequest): Enrolled {
    const host = token.host || request.host;
    const user = token.user || request.user;
    const { machineId } = request;
    for (const [what, name] of Object.entries({ host, user, 'machine id': machineId })) {
      if (isIdentityName(name)) continue;
      throw new FleetError('INVALID_ARGUMENT', `${what} ${JSON.stringify(name)}: use 1 to 64 of A-Z a-z 0-9 . _ -`);
    }
    if (!token.replace) requireFree(this.#context.records, { host, user, machineId }, this.#context.log);
    const bound = boundTenant(this.#context.records, { host, user });
    // A place that it does not name may be anybody's: it was made for one tenant.
    const isNamed = token.host !== '' && token.user !== '';
    if (!isNamed && token.tenantId !== '' && (bound ?? token.tenantId) !== token.tenantId) {
      this.#context.log.warn({ host, user, bound, meant: token.tenantId }, 'enrolment refused: another tenant’s user');
      throw notAccepted();
    }
    const tenantId = bound ?? (token.tenantId || DEFAULT_TENANT);
    return { kind: 'host', host, user, name: '', machineId, tenantId, role: 'operator' };
  }

  /** A name that somebody bears is not taken over, and a key that was revoked is never good again. */
  #operatorOf({ name, role, tenants, takeover }: InvitedRecord, fingerprint: string): Enrolled {
    const { records, authority } = this.#context;
    const present = records.identities.get(formatSpiffeId({ kind: 'operator', cell: authority.cell, name }));
    if (present !== undefined && (!present.revoked || present.keyFingerprint === fingerprint)) throw notAccepted();
    const tenantId = tenants[0] ?? '';
    return { kind: 'operator', host: '', user: '', name, machineId: '', tenantId, role, tenants, takeover };
  }

  async #renew(caller: Caller, request: RenewRequest): Promise<CertificateResponse> {
    const { records, audit } = this.#context;
    const key = openCsr(request.csr);
    const uri = caller.spiffeId ?? this.#expiredIdentity(request.expiredCertificatePem, key);
    const renewable = (): IdentityRecord => {
      const held = records.identities.get(uri);
      if (held === undefined || held.kind === 'controller' || held.revoked) throw notRenewed();
      if (held.keyFingerprint !== keyFingerprint(key)) throw notRenewed();
      // A copied folder on another machine: same key, and both would displace each other for ever.
      if (request.machineId !== '' && request.machineId !== held.machineId) throw notRenewed();
      return held;
    };
    const reason = caller.spiffeId === null ? 'after expiry' : '';
    await audit.record({ actor: uri, verb: 'renew', ...subjectOf(renewable(), uri), outcome: 'allowed', reason });
    // It may have fallen while that was written.
    const record = renewable();
    const renewed = this.#issue(key, record, record.version);
    const isContext = record.kind === 'operator';
    // A host says itself what its disk has; a context keeps what it is given.
    const told = isContext ? { trusts: authorityFingerprints(this.#context.authority.trustPem) } : {};
    const next = { ...record, ...renewed.record, ...told, enrolledMs: record.enrolledMs };
    const expect = [records.identities.expectation(uri)];
    const committed = await records.store.commit({ expect, put: [records.identities.writing(uri, next)] });
    if (committed === null) throw meanwhile('identity');
    return this.#response(renewed.certificatePem, next);
  }

  #expiredIdentity(pem: string, key: KeyObject): string {
    const { authority, retired, clock } = this.#context;
    const nowMs = clock.nowMs();
    const present = verifyPeer(pem, authority.bundles, nowMs, 'client');
    const isOfBefore = !present.ok && present.reason === 'foreign_authority' && retired !== undefined;
    const verdict = isOfBefore ? verifyPeer(pem, retired(), nowMs, 'client') : present;
    const { certificate, uri } = verdict;
    if (!verdict.ok && verdict.reason !== 'expired') throw notRenewed();
    if (certificate === null || uri === null) throw notRenewed();
    if (nowMs >= certificate.notAfterMs + RENEWABLE_AFTER_EXPIRY_MS) throw notRenewed();
    if (certificate.keyFingerprint !== keyFingerprint(key)) throw notRenewed();
    return uri;
  }

  #issue(key: KeyObject, known: Enrolled, version: string): { certificatePem: string; record: IdentityRecord } {
    const { authority, clock, leafLifetimeMs } = this.#context;
    const nowMs = clock.nowMs();
    const certificatePem = authority.issue(idOf(authority.cell, known), key, { nowMs, lifetimeMs: leafLifetimeMs });
    const { serial, notAfterMs } = readCertificate(certificatePem);
    const record: IdentityRecord = {
      ...known,
      keyFingerprint: keyFingerprint(key),
      certificateSerial: serial,
      certificateNotAfterMs: notAfterMs,
      enrolledMs: nowMs,
      version: version.slice(0, 64),
      revoked: false,
      authority: authority.fingerprint,
    };
    return { certificatePem, record };
  }

  #response(certificatePem: string, record: IdentityRecord): CertificateResponse {
    const { authority, addresses } = this.#context;
    const { host, user, tenantId } = record;
    const { cell, trustPem: trustBundlePem } = authority;
    return { certificatePem, trustBundlePem, cell, host, user, tenantId, addresses: addresses() };
  }
}

const idOf = (cell: string, { kind, host, user, name }: Enrolled): SpiffeId =>
  kind === 'host' ? { kind, cell, host, user } : { kind, cell, name };

/** Only a host-agent stands on a machine. */
const placeOf = ({ kind, host, user }: Enrolled): string | null => (kind === 'host' ? `${host}/${user}` : null);

const subjectOf = (known: Enrolled, uri: string): Subject => {
  const place = placeOf(known);
  return { ...(place === null ? {} : { hostAgent: place }), tenantId: known.tenantId, target: uri };
};

/** A new certificate lets nobody out: only an administrator does, or one who removed the host. */
const quarantineOf = (held: IdentityRecord | undefined): Pick<IdentityRecord, 'quarantined'> =>
  held?.quarantined && !held.revoked ? { quarantined: true } : {};
