/**
 * Another cell, as far as a controller of ours can tell: an authority of its own, joined by a real invitation over real TLS,
 * and calls with any certificate and any word about for whom they are made.
 */
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { ChannelCredentials, type Client, Metadata } from '@grpc/grpc-js';
import { ON_BEHALF_OF_KEY } from '../../controller/tenancy/on-behalf-of.ts';
import { addGrant, revokeGrant } from '../../src/cli/client/grant-methods.ts';
import { type CertificateAuthority, LEAF_LIFETIME_MS, makeAuthority } from '../../src/identity/authority.ts';
import { signCertificate } from '../../src/identity/certificate.ts';
import { clientTls } from '../../src/identity/client-tls.ts';
import { parseInvitation } from '../../src/identity/invitation.ts';
import { keyToPem, makeKey } from '../../src/identity/key.ts';
import type { SpiffeId } from '../../src/identity/spiffe-id.ts';
import { AdminServiceClient } from '../../src/wire/gen/fleet/v1/admin.ts';
import { EnrollmentServiceClient } from '../../src/wire/gen/fleet/v1/enrollment.ts';
import { FleetServiceClient } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { AddGrantRequest, Grant } from '../../src/wire/gen/fleet/v1/grants.ts';
import { OnBehalfOf } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import type { InvitePeerResponse, JoinPeerResponse, RemovePeerResponse } from '../../src/wire/gen/fleet/v1/peers.ts';
import type { RunningController } from './run-controller.ts';
import { unary } from './test-cell.ts';

export interface Leaf {
  certificatePem: string;
  key: KeyObject;
}

export class ForeignCell {
  readonly cell: string;
  readonly authority: CertificateAuthority;
  readonly #key: KeyObject;
  readonly #controller: RunningController;
  readonly #clients: Client[] = [];

  constructor(controller: RunningController, cell = 'partner') {
    this.cell = cell;
    ({ authority: this.authority, key: this.#key } = makeAuthority(cell, Date.now()));
    this.#controller = controller;
  }

  /** Asked and come. */
  static async joined(controller: RunningController, cell = 'partner'): Promise<ForeignCell> {
    const foreign = new ForeignCell(controller, cell);
    await foreign.join(await foreign.invitation());
    return foreign;
  }

  /** The secret of an invitation of our cell. */
  async invitation(): Promise<string> {
    const request = { cell: this.cell, tenants: [], validSeconds: 0 };
    const { token } = await unary<InvitePeerResponse>((done) => this.#admin().invitePeer(request, done));
    return parseInvitation(token).secret;
  }

  /** By the administrator of our cell. */
  async removed(): Promise<void> {
    await unary<RemovePeerResponse>((done) => this.#admin().removePeer({ cell: this.cell, any: false }, done));
  }

  async join(secret: string): Promise<void> {
    const client = await this.client(EnrollmentServiceClient, null);
    const identity = { cell: this.cell, trustBundlePem: this.authority.pem, addresses: [] };
    await unary<JoinPeerResponse>((done) => client.joinPeer({ secret, identity }, done));
  }

  /** Its controller, unless told otherwise. */
  leaf(id: SpiffeId = { kind: 'controller', cell: this.cell, name: 'main' }, authority = this.authority): Leaf {
    const key = makeKey();
    return { key, certificatePem: authority.issue(id, key, { nowMs: Date.now(), lifetimeMs: LEAF_LIFETIME_MS }) };
  }

  /** Signed by its authority, whatever that may sign. */
  forged(uri: string): Leaf {
    const key = makeKey();
    const certificatePem = signCertificate({
      subject: 'x',
      issuer: `fleet cell ${this.cell}`,
      uri,
      key,
      issuerKey: this.#key,
      uses: ['server', 'client'],
      notBeforeMs: Date.now() - 1_000,
      notAfterMs: Date.now() + LEAF_LIFETIME_MS,
    });
    return { key, certificatePem };
  }

  /** FleetService of our controller, by that certificate. */
  async fleet(leaf: Leaf = this.leaf()): Promise<FleetServiceClient> {
    return await this.client(FleetServiceClient, leaf);
  }

  async client<C extends Client>(
    type: new (address: string, credentials: ChannelCredentials, options?: object) => C,
    leaf: Leaf | null,
  ): Promise<C> {
    const { paths } = this.#controller.config;
    const trustBundlePem = readFileSync(join(paths.state, 'controller', 'ca.crt'), 'utf8');
    const pems = leaf === null ? { certificatePem: null, keyPem: null } : { ...leaf, keyPem: keyToPem(leaf.key) };
    const tls = clientTls({ cell: 'home', trustBundlePem, ...pems }, Date.now);
    const credentials = ChannelCredentials.createFromSecureContext(createSecureContext(tls.secureContextOptions), {
      checkServerIdentity: tls.checkServerIdentity,
    });
    const [address] = await this.#controller.listening();
    const client = new type(address as string, credentials, {
      'grpc.ssl_target_name_override': 'home',
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#clients.push(client);
    return client;
  }

  /** As one of its operators, unless told otherwise. */
  behalf(over: Partial<OnBehalfOf> = {}): Metadata {
    const actor = `spiffe://${this.cell}/operator/ann`;
    const told = {
      actor,
      name: 'ann',
      kind: 'operator',
      role: 'operator',
      tenantId: 'sales',
      federated: false,
      ...over,
    };
    const metadata = new Metadata();
    metadata.set(ON_BEHALF_OF_KEY, Buffer.from(OnBehalfOf.encode(told).finish()));
    return metadata;
  }

  /** By the administrator of our cell: rows of everything, unless told otherwise. */
  async grant(over: Partial<AddGrantRequest> = {}): Promise<Grant> {
    const request = {
      peer: this.cell,
      tenants: ['default'],
      hosts: ['*'],
      agents: ['*'],
      verbs: ['observe'],
      rowLimit: 0,
      validMs: 3_600_000,
      dryRun: false,
      ...over,
    };
    const { grant } = await this.#controller.ask(addGrant, request);
    return grant as Grant;
  }

  async revoke(id: string): Promise<void> {
    await this.#controller.ask(revokeGrant, { id });
  }

  #admin(): AdminServiceClient {
    const { adminSocket } = this.#controller.config.paths;
    const client = new AdminServiceClient(`unix:${adminSocket}`, ChannelCredentials.createInsecure());
    this.#clients.push(client);
    return client;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}
