/** RPCs of the controller about other cells. */
import * as peers from '../../wire/gen/fleet/v1/peers.ts';
import { methodOf } from './methods.ts';

const path = (name: string): string => `/fleet.v1.AdminService/${name}`;

export const invitePeer = methodOf(path('InvitePeer'), peers.InvitePeerRequest, peers.InvitePeerResponse);
export const acceptPeer = methodOf(path('AcceptPeer'), peers.AcceptPeerRequest, peers.AcceptPeerResponse);
export const listPeers = methodOf(path('ListPeers'), peers.ListPeersRequest, peers.ListPeersResponse);
export const setPeerTenants = methodOf(
  path('SetPeerTenants'),
  peers.SetPeerTenantsRequest,
  peers.SetPeerTenantsResponse,
);
export const removePeer = methodOf(path('RemovePeer'), peers.RemovePeerRequest, peers.RemovePeerResponse);
