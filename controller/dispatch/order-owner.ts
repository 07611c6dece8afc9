/** Whose orders are: ids are one tenant's own, or one peer's, here and in the journals of hosts. */
import { createHash } from 'node:crypto';
import type { Caller } from '../tenancy/caller.ts';

export interface OrderOwner {
  /** As the index knows it; no tenant's name has an `@`. */
  name: string;
  /** The peer's cell. */
  peer?: string;
  /** By which the host knows the order: a peer that guesses an id of ours is answered about its own. */
  hostId(id: string): string;
}

export const tenantOwner = (tenantId: string): OrderOwner => ({ name: tenantId, hostId: (id) => id });

export const peerOwner = (cell: string): OrderOwner => ({
  name: `@${cell}`,
  peer: cell,
  hostId: (id) => `peer:${createHash('sha256').update(`${cell}\n${id}`, 'utf8').digest('hex').slice(0, 40)}`,
});

/** Of what this caller orders from an agent of that tenant. */
export const ownerOf = ({ grants, cell }: Caller, tenantId: string): OrderOwner =>
  grants === null ? tenantOwner(tenantId) : peerOwner(cell);
