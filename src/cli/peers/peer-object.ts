/** A peer as programs read it: ages in whole seconds, null where unknown. */
import type { Peer } from '../../wire/gen/fleet/v1/peers.ts';
import { isoTime } from '../render/iso-time.ts';

const seconds = (ms: number | undefined): number | null => (ms === undefined ? null : Math.floor(ms / 1_000));

export const peerObject = (peer: Peer, nowMs: number) => ({
  cell: peer.cell,
  state: peer.state,
  addresses: peer.addresses,
  fingerprints: peer.fingerprints,
  tenants: peer.tenants,
  granted_to_us: peer.grantedToUs,
  granted_by_us: peer.grantedByUs,
  rows: peer.rows,
  row_limit: peer.rowLimit,
  invited: isoTime(peer.invitedMs ?? 0),
  accepted: isoTime(peer.acceptedMs ?? 0),
  revoked: isoTime(peer.revokedMs ?? 0),
  link: peer.link
    ? {
        state: peer.link.state,
        reason: peer.link.reason ?? null,
        age_seconds: seconds(peer.link.ageMs),
        breaker: peer.link.breaker,
        next_try_in_seconds: seconds(peer.link.nextTryInMs),
        last_success_age_seconds: seconds(peer.link.lastSuccessAgeMs),
        address: peer.link.address || null,
        certificate_expires_in_seconds:
          peer.link.certificateNotAfterMs === undefined ? null : seconds(peer.link.certificateNotAfterMs - nowMs),
      }
    : null,
});
