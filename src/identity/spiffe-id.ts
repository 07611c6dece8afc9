/**
 * Names of identities: `spiffe://CELL/host/HOST/user/USER`, `spiffe://CELL/operator/NAME`,
 * `spiffe://CELL/controller/NAME`. One spelling each; anything else is no identity of ours.
 */
import { FleetError } from '../domain/errors.ts';

export type SpiffeId =
  | { kind: 'host'; cell: string; host: string; user: string }
  | { kind: 'operator' | 'controller'; cell: string; name: string };

/** Trust domain: what a DNS name may hold. */
const CELL = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;
/** A path segment of a SPIFFE id (SPIFFE-ID 2.2), at most 64 characters; never `.` or `..`. */
const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/;

export const isCellName = (text: string): boolean => CELL.test(text);
export const isIdentityName = (text: string): boolean => SEGMENT.test(text);

const pathOf = (id: SpiffeId): string[] =>
  id.kind === 'host' ? ['host', id.host, 'user', id.user] : [id.kind, id.name];

/** INVALID_ARGUMENT naming the part that does not fit the grammar. */
export const formatSpiffeId = (id: SpiffeId): string => {
  if (!isCellName(id.cell)) {
    throw new FleetError(
      'INVALID_ARGUMENT',
      `cell name ${JSON.stringify(id.cell)}: use 1 to 63 of a-z 0-9 . -, beginning and ending with a letter or digit`,
    );
  }
  for (const segment of pathOf(id)) {
    if (isIdentityName(segment)) continue;
    throw new FleetError('INVALID_ARGUMENT', `name ${JSON.stringify(segment)}: use 1 to 64 of A-Z a-z 0-9 . _ -`);
  }
  return `spiffe://${id.cell}/${pathOf(id).join('/')}`;
};

/** null for everything that `formatSpiffeId` would not have written. */
export const parseSpiffeId = (uri: string): SpiffeId | null => {
  if (!uri.startsWith('spiffe://')) return null;
  const [cell = '', ...path] = uri.slice('spiffe://'.length).split('/');
  if (!isCellName(cell) || !path.every(isIdentityName)) return null;
  const [kind, name = '', word, user = ''] = path;
  if (kind === 'host' && word === 'user' && path.length === 4) return { kind, cell, host: name, user };
  if ((kind === 'operator' || kind === 'controller') && path.length === 2) return { kind, cell, name };
  return null;
};
