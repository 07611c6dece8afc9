import type { Mirror } from './mirror.ts';
import type { PeerRecord } from './records.ts';
import type { Commit } from './store.ts';

/** What is left, as a part of a commit, of one that was invited and did not come: nothing, or what was removed before. */
export const uninvited = (
  peers: Mirror<PeerRecord>,
  { cell, ...invited }: PeerRecord,
): Required<Pick<Commit, 'put' | 'remove'>> =>
  invited.revokedMs === null
    ? { put: [], remove: [peers.keyOf(cell)] }
    : { put: [peers.writing(cell, { cell, ...invited, state: 'revoked' })], remove: [] };
