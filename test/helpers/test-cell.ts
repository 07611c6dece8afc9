/**
 * A real cell in a temporary folder: store, authority, audit, door and TLS server on loopback, and clients of every
 * kind, good and bad. Everything is ended and removed by `stop`.
 */
import type { KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createSecureContext } from 'node:tls';
import { ChannelCredentials, type Client, type ClientOptions, type ServiceError } from '@grpc/grpc-js';
import { Addresses } from '../../controller/admin/addresses.ts';
import { ADMIN_TARGETS, type AdminContext, adminHandlers } from '../../controller/admin/admin-service.ts';
import { AuditLog } from '../../controller/audit/audit-log.ts';
import { Enrollment } from '../../controller/enrollment/enrollment.ts';
import { FailureLimit } from '../../controller/enrollment/failure-limit.ts';
import { Rotation } from '../../controller/enrollment/rotation.ts';
import { createToken, type TokenContext, type TokenWish } from '../../controller/enrollment/tokens.ts';
import { Federation } from '../../controller/federation/federation.ts';
import { PeerTrust } from '../../controller/federation/peer-trust.ts';
import { grantHandlers } from '../../controller/grants/grant-calls.ts';
import { Grants } from '../../controller/grants/grants.ts';
import { Door } from '../../controller/grpc/door.ts';
import { GrpcServer } from '../../controller/grpc/server.ts';
import { ServerIdentity } from '../../controller/grpc/server-identity.ts';
import type { ServerLimits } from '../../controller/grpc/server-limits.ts';
import { openRecords, type Records } from '../../controller/store/records.ts';
import { SqliteStore } from '../../controller/store/sqlite-store.ts';
import { PeerGrants } from '../../controller/tenancy/peer-grants.ts';
import { Authorities } from '../../src/identity/authorities.ts';
import type { CertificateAuthority } from '../../src/identity/authority.ts';
import { clientTls } from '../../src/identity/client-tls.ts';
import { makeCsr } from '../../src/identity/csr.ts';
import { keyToPem, makeKey } from '../../src/identity/key.ts';
import { type JoinToken, parseToken } from '../../src/identity/token.ts';
import { createLogger, type Logger } from '../../src/runtime/logger.ts';
import { FleetView } from '../../src/view/fleet-view.ts';
import { AdminServiceService } from '../../src/wire/gen/fleet/v1/admin.ts';
import { EnrollmentServiceClient, EnrollmentServiceService } from '../../src/wire/gen/fleet/v1/enrollment.ts';
import type { CertificateResponse } from '../../src/wire/gen/fleet/v1/enrollment_messages.ts';
import { MovedClock } from './moved-clock.ts';

type ClientClass<C extends Client> = new (
  address: string,
  credentials: ChannelCredentials,
  options?: Partial<ClientOptions>,
) => C;

/** A promise of a unary call; rejects with the ServiceError. */
export const unary = <S>(call: (done: (error: ServiceError | null, response: S) => void) => unknown): Promise<S> =>
  new Promise((resolve, reject) => {
    call((error, response) => (error === null ? resolve(response) : reject(error)));
  });

/** The error that a call must end with; fails when it succeeds. */
export const failureOf = async (call: Promise<unknown>): Promise<ServiceError> => {
  const outcome = await call.then(
    () => null,
    (error: ServiceError) => error,
  );
  if (outcome === null) throw new Error('the call was accepted');
  return outcome;
};

export interface TestCellOptions {
  clock?: MovedClock;
  leafLifetimeMs?: number;
  limits?: Partial<ServerLimits>;
  cell?: string;
}

export class TestCell {
  readonly folder = mkdtempSync(join(tmpdir(), 'fleet-cell-'));
  /** Stands still at the true time, because OpenSSL looks at the true time in the handshake. */
  readonly clock: MovedClock;
  readonly log: Logger;
  readonly logged: string[] = [];
  readonly removed: string[] = [];
  /** Host-agents whose uplink stands, and peers whose line does, as the rotation is told. */
  readonly connected = new Set<string>();
  /** Authorities of other cells that this one trusts for their own names. */
  readonly partners: CertificateAuthority[] = [];
  readonly store: SqliteStore;
  readonly #options: TestCellOptions;
  readonly #clients: Client[] = [];
  authority!: Authorities;
  rotation!: Rotation;
  records!: Records;
  audit!: AuditLog;
  door!: Door;
  server!: GrpcServer;
  identity!: ServerIdentity;
  addresses!: Addresses;
  enrollment!: Enrollment;
  trust!: PeerTrust;
  grants!: PeerGrants;
  /** Its lines are begun by the test that wants them. */
  federation!: Federation;
  readonly view: FleetView;

  constructor(options: TestCellOptions = {}) {
    this.#options = options;
    this.clock = options.clock ?? new MovedClock(Date.now());
    this.view = new FleetView({ clock: this.clock });
    const destination = new Writable({
      write: (chunk, _encoding, done) => {
        this.logged.push(String(chunk));
        done();
      },
    });
    this.log = createLogger({ name: 'test', level: 'debug', destination });
    this.store = new SqliteStore(join(this.folder, 'controller.db'));
  }

  async start(): Promise<this> {
    const { clock, log } = this;
    const { limits = {}, leafLifetimeMs = 7 * 86_400_000, cell = 'home' } = this.#options;
    this.store.start();
    this.authority = await Authorities.open(this.folder, cell, clock.nowMs());
    this.records = await openRecords(this.store);
    this.audit = new AuditLog(this.store, clock, log, { cell, flushIntervalMs: 20 });
    await this.audit.start();
    this.trust = new PeerTrust(this.records, () => this.authority.bundles);
    this.trust.start();
    const bundles = () =>
      new Map([...this.trust.bundles(), ...this.partners.flatMap((authority) => [...authority.bundles])]);
    const retired = () => this.authority.retired;
    const { records, audit } = this;
    this.grants = new PeerGrants(records, clock);
    this.grants.start();
    this.door = new Door({ records, bundles, retired, grants: this.grants, audit, clock, log, sweepIntervalMs: 20 });
    this.identity = new ServerIdentity(this.authority, clock, { name: 'main', lifetimeMs: 7 * 86_400_000 });
    const material = this.trust.widened(this.identity.material);
    this.trust.onChanged(() => this.server.rotate(this.trust.widened(this.identity.material)));
    this.server = new GrpcServer({ door: this.door, material, clock, log, limits });
    this.addresses = new Addresses(this.server, this.records, log);
    const limit = new FailureLimit(clock);
    this.federation = new Federation({
      records: this.records,
      view: this.view,
      audit: this.audit,
      grants: this.grants,
      limit,
      clock,
      log,
      own: () => ({
        cell,
        trustBundlePem: this.authority.trustPem,
        addresses: this.addresses.dialable(),
        fingerprint: this.authority.fingerprint,
      }),
      identity: () => this.identity.material,
      breaker: { failures: 3, firstMs: 20, capMs: 100 },
    });
    this.rotation = new Rotation({
      authorities: this.authority,
      records: this.records,
      clock,
      log,
      isConnected: (id) => this.connected.has(id),
      isPeerConnected: (name) => this.connected.has(name),
      changed: () => this.identity.renew(),
    });
    this.enrollment = new Enrollment({
      authority: this.authority,
      retired,
      records: this.records,
      audit: this.audit,
      limit,
      clock,
      log,
      addresses: () => this.addresses.dialable(),
      leafLifetimeMs,
    });
    this.server.addService(EnrollmentServiceService, {
      enroll: (caller, request) => this.enrollment.enroll(caller, request),
      renew: (caller, request) => this.enrollment.renew(caller, request),
      ...this.federation.enrollment,
      getTrustBundle: ({ spiffeId }) => this.rotation.tell(spiffeId),
    });
    const admin: AdminContext = {
      records: this.records,
      audit: this.audit,
      clock,
      cell,
      fingerprint: () => this.authority.fingerprint,
      addresses: this.addresses,
      rotation: this.rotation,
      backup: {
        folder: this.folder,
        settingsPath: join(this.folder, 'none.env'),
        cell,
        version: '1.0.0',
        nowMs: clock.nowMs,
      },
      version: '1.0.0',
      onRemoved: async (hostAgents) => void this.removed.push(...hostAgents),
      count: () => ({ hostAgents: 0, connected: 0 }),
      lastSeenMs: (spiffeId) => this.door.lastSeenMs(spiffeId),
    };
    const grants = new Grants({ records: this.records, view: this.view, clock, log, cell });
    const handlers = { ...adminHandlers(admin), ...grantHandlers(grants), ...this.federation.admin };
    this.server.addService(AdminServiceService, handlers, ADMIN_TARGETS);
    return this;
  }

  /** After further services were added. */
  async open(): Promise<this> {
    this.server.start();
    this.identity.start((material) => this.server.rotate(material));
    await this.addresses.start(0);
    return this;
  }

  get address(): string {
    return this.server.listening[0] as string;
  }

  get port(): number {
    return Number(this.address.split(':').at(-1));
  }

  async token(wish: Partial<TokenWish> = {}): Promise<JoinToken> {
    const made = await createToken(
      { host: 'W-jarvis', user: 'jarvis', tenantId: '', validSeconds: 0, replace: false, ...wish },
      this.issuing(),
    );
    return parseToken(made.token);
  }

  /** What tokens and invitations are made of. */
  issuing(): TokenContext {
    return {
      records: this.records,
      clock: this.clock,
      cell: this.authority.cell,
      fingerprint: this.authority.fingerprint,
      addresses: this.addresses.dialable(),
      createdBy: 'test',
    };
  }

  /** A client over TLS that checks the server's name; with a certificate, or as a stranger. */
  client<C extends Client>(
    type: ClientClass<C>,
    identity: { certificatePem: string; key: KeyObject } | null,
    address = this.address,
  ): C {
    const { cell, pem: trustBundlePem } = this.authority;
    const pems = identity && { certificatePem: identity.certificatePem, keyPem: keyToPem(identity.key) };
    const tls = clientTls({ cell, trustBundlePem, ...(pems ?? { certificatePem: null, keyPem: null }) }, Date.now);
    const credentials = ChannelCredentials.createFromSecureContext(createSecureContext(tls.secureContextOptions), {
      checkServerIdentity: tls.checkServerIdentity,
    });
    const client = new type(address, credentials, {
      'grpc.ssl_target_name_override': cell,
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#clients.push(client);
    return client;
  }

  local<C extends Client>(type: ClientClass<C>, path: string): C {
    const client = new type(`unix:${path}`, ChannelCredentials.createInsecure());
    this.#clients.push(client);
    return client;
  }

  /** Enrols over the wire. */
  async enroll(
    token: JoinToken,
    options: { key?: KeyObject; machineId?: string; host?: string; user?: string } = {},
  ): Promise<CertificateResponse & { key: KeyObject }> {
    const key = options.key ?? makeKey();
    const client = this.client(EnrollmentServiceClient, null);
    const request = {
      secret: token.secret,
      csr: makeCsr(key),
      machineId: options.machineId ?? 'machine-1',
      version: '1.0.0',
      host: options.host ?? '',
      user: options.user ?? '',
    };
    const response = await unary<CertificateResponse>((done) => client.enroll(request, done));
    return { ...response, key };
  }

  /** Does `work` once, in the time in which the next record of that verb is being written down. */
  whileRecording(verb: string, work: () => unknown): void {
    const record = this.audit.record.bind(this.audit);
    this.audit.record = async (entry) => {
      await record(entry);
      if (entry.verb !== verb) return;
      this.audit.record = record;
      await work();
    };
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.federation?.stop();
    await this.server?.stop();
    this.identity?.stop();
    this.grants?.stop();
    await this.audit?.stop();
    this.store.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
