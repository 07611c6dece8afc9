/** The administrator's calls about peers. Who may make them is the door's affair; that they were made is in the audit already. */
import { FleetError } from '../../src/domain/errors.ts';
import { parseInvitation } from '../../src/identity/invitation.ts';
import { bundleFingerprints, type ToldPeer } from '../../src/identity/peer-bundle.ts';
import type { AdminServiceService } from '../../src/wire/gen/fleet/v1/admin.ts';
import type { Peer } from '../../src/wire/gen/fleet/v1/peers.ts';
import type { Handlers, Targets } from '../grpc/handlers.ts';
import type { PeerRecord } from '../store/records.ts';
import { actorOf } from '../tenancy/caller.ts';
import type { Invitations } from './invitations.ts';
import { joinPeer } from './join-peer.ts';
import type { PeerLinks } from './peer-links.ts';
import type { Peers } from './peers.ts';

export interface PeerAdminOptions {
  peers: Peers;
  invitations: Invitations;
  links: Pick<PeerLinks, 'describe'>;
  /** Verbs of what is granted to it now. */
  granted: (cell: string) => readonly string[];
  nowMs: () => number;
}

type Definition = typeof AdminServiceService;
export type PeerCall = 'invitePeer' | 'acceptPeer' | 'listPeers' | 'setPeerTenants' | 'removePeer';

export const PEER_TARGETS: Targets<Definition> = {
  invitePeer: ({ cell, tenants }) => named(cell || '*', tenants),
  acceptPeer: ({ token, tenants }) => named(cellOf(token), tenants),
  setPeerTenants: ({ cell, tenants }) => named(cell, tenants),
  removePeer: ({ cell, any }) => (any ? '*' : cell.slice(0, MAX_NAME)),
};

const MAX_NAME = 64;
const named = (cell: string, tenants: readonly string[]): string =>
  [cell.slice(0, MAX_NAME), ...tenants.slice(0, 16).map((tenant) => tenant.slice(0, MAX_NAME))].join(' ');

/** Of an invitation that cannot be read there is none. */
const cellOf = (token: string): string => {
  try {
    return parseInvitation(token).cell;
  } catch {
    return '?';
  }
};

export const peerAdminHandlers = ({
  peers,
  invitations,
  links,
  granted,
  nowMs,
}: PeerAdminOptions): Pick<Handlers<Definition>, PeerCall> => {
  const tell = (record: PeerRecord): Peer => {
    const { cell, state, addresses, trustBundlePem, audience, invitedMs, acceptedMs, revokedMs, limits } = record;
    const line = links.describe(cell);
    return {
      cell,
      state,
      addresses,
      // Of one that is invited, what it was before says nothing of who will come.
      fingerprints: state === 'invited' ? [] : bundleFingerprints(trustBundlePem),
      tenants: audience,
      invitedMs,
      acceptedMs: acceptedMs ?? undefined,
      revokedMs: state === 'revoked' ? (revokedMs ?? undefined) : undefined,
      rows: line?.rows ?? 0,
      rowLimit: limits.rows,
      link: line?.link,
      grantedToUs: line?.granted ?? [],
      grantedByUs: [...granted(cell)],
    };
  };
  return {
    invitePeer: async (caller, wish) => {
      const { addresses } = peers.own();
      return { ...(await invitations.make(wish, actorOf(caller))), addresses };
    },
    acceptPeer: async (_caller, { token, tenants }, { signal }) => {
      const invitation = parseInvitation(token);
      peers.audience(tenants);
      requireKnown(peers, invitation);
      const { cell, trustBundlePem, addresses } = peers.own();
      const told = await joinPeer(invitation, { own: { cell, trustBundlePem, addresses }, nowMs, signal });
      return { peer: tell(await accepted(peers, told, peers.audience(tenants))) };
    },
    listPeers: () => ({
      cell: peers.own().cell,
      fingerprints: bundleFingerprints(peers.own().trustBundlePem),
      peers: peers.all().map(tell),
      invitations: invitations.open().map(({ cell, expiresMs, audience }) => ({ cell, expiresMs, tenants: audience })),
    }),
    setPeerTenants: async (_caller, { cell, tenants }) => ({ peer: tell(await peers.showTo(cell, tenants)) }),
    removePeer: async (_caller, { cell, any }) => {
      if (any && cell !== '')
        throw new FleetError('INVALID_ARGUMENT', `either ${cell}, or the invitations of any cell`);
      if (any) return { withdrawn: await invitations.withdrawOpen() };
      const { peer, withdrawn } = await peers.remove(cell);
      return { peer: peer === null ? undefined : tell(peer), withdrawn };
    },
  };
};

/** A name that is taken is refused before the other cell hears of anything. */
const requireKnown = (peers: Peers, { cell, fingerprint }: { cell: string; fingerprint: string }): void => {
  const held = peers.get(cell);
  const isSame = held?.state === 'active' && bundleFingerprints(held.trustBundlePem).includes(fingerprint);
  peers.requireFree(cell, isSame ? held.trustBundlePem : null);
};

const accepted = async (peers: Peers, told: ToldPeer, audience: string[]): Promise<PeerRecord> => {
  peers.requireFree(told.cell, told.trustBundlePem);
  try {
    return await peers.hold(told, audience);
  } catch (cause) {
    const mend = 'it accepted this cell already: repeat the command with the same invitation';
    throw new FleetError('ABORTED', `${told.cell} could not be stored as a peer; ${mend}`, { cause });
  }
};
