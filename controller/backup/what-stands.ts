/** Whoever counts in a cell that was restored, by name: what was taken away since the backup has to be looked for among them. */
import { grantStatus } from '../../src/domain/grant.ts';
import type { Mirror } from '../store/mirror.ts';
import type { GrantRecord, Records } from '../store/records.ts';

/** What is in a row of the answer, and the names in it. */
export type WhatStands = readonly (readonly [what: string, names: readonly string[]])[];

/** The tenant that is always there has no record, and is in no row. */
export const whatStands = ({ tenants, identities, peers, grants }: Records, nowMs: number): WhatStands => {
  const living = valuesOf(identities).filter(({ revoked }) => !revoked);
  const of = (kind: 'host' | 'operator') => living.filter((identity) => identity.kind === kind);
  const isActive = (grant: GrantRecord): boolean =>
    grantStatus(grant, peers.get(grant.peer)?.state, nowMs) === 'active';
  const rows: [string, string[]][] = [
    ['tenants', [...tenants.entries()].map(([name]) => name)],
    ['hosts', of('host').map(({ host, user }) => `${host}/${user}`)],
    ['people', of('operator').map(({ name }) => name)],
    ['peers', valuesOf(peers).flatMap(({ state, cell }) => (state === 'active' ? [cell] : []))],
    [
      'grants',
      valuesOf(grants)
        .filter(isActive)
        .map(({ id }) => id),
    ],
  ];
  return rows.filter(([, names]) => names.length > 0).map(([what, names]) => [what, names.sort()]);
};

const valuesOf = <T>(records: Mirror<T>): T[] => [...records.entries()].map(([, record]) => record);

/** Of one row; the rest of them are listed by the commands. */
const MAX_NAMES = 30;

export const standingWords = (stands: WhatStands): string[] =>
  stands.map(([what, names]) => {
    const more = names.length - MAX_NAMES;
    return `these ${what} stand again: ${names.slice(0, MAX_NAMES).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
  });
