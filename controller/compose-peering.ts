/**
 * The wiring of what this cell has with others: whom of them it trusts, what it grants them, and what they let it see and do.
 * Nothing is decided here.
 */
import type { Authorities } from '../src/identity/authorities.ts';
import type { Composition } from '../src/runtime/composition.ts';
import type { FleetView } from '../src/view/fleet-view.ts';
import type { AuditLog } from './audit/audit-log.ts';
import type { FailureLimit } from './enrollment/failure-limit.ts';
import { Federation } from './federation/federation.ts';
import { PEER_TARGETS } from './federation/peer-admin.ts';
import { routedCalls } from './federation/peer-calls.ts';
import { PeerTrust } from './federation/peer-trust.ts';
import { GRANT_TARGETS, grantHandlers } from './grants/grant-calls.ts';
import { Grants } from './grants/grants.ts';
import type { TlsMaterial } from './grpc/tls-front.ts';
import type { Records } from './store/records.ts';
import { PeerGrants } from './tenancy/peer-grants.ts';
import type { HostCalls } from './uplink/host-calls.ts';
import type { Tunnels } from './uplink/tunnels.ts';

export interface PeeringParts extends Composition {
  cell: string;
  records: Records;
  authority: Authorities;
  view: FleetView;
  audit: AuditLog;
}

/** What lines to peers need of a controller that listens. */
export interface LineParts {
  /** Of strangers' attempts, shared with enrolment. */
  limit: FailureLimit;
  /** Where peers may dial. */
  addresses(): string[];
  /** What is shown to them. */
  identity(): TlsMaterial;
  hostCalls: HostCalls;
  tunnels: Tunnels;
}

/** Trust and grants are there when this returns: the door asks them. Lines to peers begin with `federation.start`. */
export const composePeering = (parts: PeeringParts) => {
  const { cell, records, authority, view, audit, clock, part, shutdown } = parts;
  const trust = new PeerTrust(records, () => authority.bundles);
  trust.start();
  shutdown.add('peer trust', () => trust.stop());
  const peerGrants = new PeerGrants(records, clock);
  peerGrants.start();
  shutdown.add('peer grants', () => peerGrants.stop());
  const grants = new Grants({ records, view, clock, log: part('grants'), cell });
  grants.start();
  shutdown.add('grants', () => grants.stop());
  const federate = ({ limit, addresses, identity, hostCalls, tunnels }: LineParts) => {
    const federation = new Federation({
      records,
      view,
      audit,
      grants: peerGrants,
      limit,
      clock,
      log: part('federation'),
      own: () => ({
        cell,
        trustBundlePem: authority.trustPem,
        addresses: addresses(),
        fingerprint: authority.fingerprint,
      }),
      identity,
    });
    return {
      federation,
      calls: routedCalls(hostCalls, federation.calls),
      // A screen is asked for again as soon as its host, or its host's cell, is back.
      returns: { onChange: (hear: (id: string) => void) => heardFrom([tunnels, federation.links], hear) },
      peering: {
        handlers: { ...federation.admin, ...grantHandlers(grants) },
        targets: { ...PEER_TARGETS, ...GRANT_TARGETS },
      },
    };
  };
  return { trust, peerGrants, federate };
};

const heardFrom = (
  sources: readonly { onChange(hear: (id: string) => void): Disposable }[],
  hear: (id: string) => void,
): Disposable => {
  const stack = new DisposableStack();
  for (const source of sources) stack.use(source.onChange(hear));
  return stack;
};
