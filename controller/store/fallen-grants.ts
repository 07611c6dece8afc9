import type { Mirror } from './mirror.ts';
import type { GrantRecord } from './records.ts';
import type { Commit } from './store.ts';

/** What becomes of the grants of cells that are no peers any more, as a part of a commit: they are revoked, for ever. */
export const fallenGrants = (
  grants: Mirror<GrantRecord>,
  isFormer: (cell: string) => boolean,
  revokedMs: number,
): NonNullable<Commit['put']> =>
  [...grants.entries()]
    .filter(([, grant]) => grant.revokedMs === null && isFormer(grant.peer))
    .map(([id, grant]) => grants.writing(id, { ...grant, revokedMs }));
