/** The wiring of this room: peers as records, a line to each, their rows into the view, calls to their agents. */
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import type { AdminServiceService } from '../../src/wire/gen/fleet/v1/admin.ts';
import type { EnrollmentServiceService } from '../../src/wire/gen/fleet/v1/enrollment.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { FailureLimit } from '../enrollment/failure-limit.ts';
import type { Handlers } from '../grpc/handlers.ts';
import type { Records } from '../store/records.ts';
import type { PeerGrants } from '../tenancy/peer-grants.ts';
import type { BreakerOptions } from './breaker.ts';
import { exchangeHandlers, exchangeWith } from './exchange.ts';
import { Invitations } from './invitations.ts';
import { type PeerCall, peerAdminHandlers } from './peer-admin.ts';
import { PeerCalls } from './peer-calls.ts';
import { PeerLinks } from './peer-links.ts';
import { type OwnIdentity, Peers } from './peers.ts';
import { TrustChanges } from './trust-changes.ts';

export interface FederationOptions {
  records: Records;
  view: FleetView;
  audit: AuditLog;
  /** What is granted to peers. */
  grants: Pick<PeerGrants, 'of'>;
  /** Of strangers' attempts, shared with enrolment. */
  limit: FailureLimit;
  clock: Clock;
  log: Logger;
  own: () => OwnIdentity;
  /** Our own leaf and its key, as they are now. */
  identity: () => { certificatePem: string; keyPem: string };
  breaker?: BreakerOptions;
}

export class Federation {
  readonly peers: Peers;
  readonly invitations: Invitations;
  readonly links: PeerLinks;
  readonly calls: PeerCalls;
  readonly admin: Pick<Handlers<typeof AdminServiceService>, PeerCall>;
  readonly enrollment: Pick<Handlers<typeof EnrollmentServiceService>, 'joinPeer' | 'refreshPeer'>;

  readonly #log: Logger;

  constructor(options: FederationOptions) {
    const { records, view, audit, grants, limit, clock, log, own, identity, breaker } = options;
    this.#log = log;
    this.peers = new Peers(records, clock, own);
    this.invitations = new Invitations(records, this.peers, clock);
    const { invitations } = this;
    const changes = new TrustChanges(this.peers, audit, clock);
    this.links = new PeerLinks({
      records,
      view,
      clock,
      log,
      identity,
      onConnected: (cell, channel, signal) => {
        exchangeWith(this.peers, changes, {
          cell,
          channel,
          signal,
          log,
          learn: (verbs) => this.links.learnGranted(cell, verbs),
        });
      },
      ...(breaker ? { breaker } : {}),
    });
    this.calls = new PeerCalls(this.links, own().cell);
    this.admin = peerAdminHandlers({
      peers: this.peers,
      invitations,
      links: this.links,
      granted: (cell) => grants.of(cell).now.verbs,
      nowMs: () => clock.nowMs(),
    });
    this.enrollment = exchangeHandlers({ peers: this.peers, changes, invitations, audit, limit });
  }

  start(): void {
    this.links.start();
    this.invitations.start((err) => this.#log.error({ err }, 'invitations that are over not ended'));
  }

  async stop(): Promise<void> {
    this.invitations.stop();
    await this.links.stop();
  }
}
