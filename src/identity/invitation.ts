/**
 * Invitations between cells: one opaque word, `fleetpeer1.…`, that says where the inviting controller is, how to know
 * it, and a secret. The controller keeps only the secret's hash.
 */
import { FleetError } from '../domain/errors.ts';
import { isCellName } from './spiffe-id.ts';
import { isDialAddress } from './token.ts';

const PREFIX = 'fleetpeer1.';
const MAX_CHARACTERS = 8_192;

export interface PeerInvitation {
  /** Of the inviting cell. */
  cell: string;
  /** `authorityFingerprint` of one of its authorities. */
  fingerprint: string;
  /** host:port, in the order to try. */
  addresses: string[];
  /** Wall clock of the inviting controller. */
  expiresMs: number;
  secret: string;
}

export const formatInvitation = ({ cell, fingerprint, addresses, expiresMs, secret }: PeerInvitation): string => {
  const fields = [cell, expiresMs, Buffer.from(fingerprint, 'hex').toString('base64url'), secret, ...addresses];
  return PREFIX + Buffer.from(JSON.stringify(fields), 'utf8').toString('base64url');
};

const refused = (why: string): FleetError =>
  new FleetError('INVALID_ARGUMENT', `invitation ${why}: copy it whole, or ask for a new one ("fleet peer invite")`);

/** INVALID_ARGUMENT that says what is wrong with it; expiry is judged by the inviting controller's clock, not here. */
export const parseInvitation = (text: string): PeerInvitation => {
  const word = text.trim();
  if (word === '') throw refused('is empty');
  if (word.startsWith('fleet1.')) throw refused('is a join token of a host or an operator');
  if (!word.startsWith(PREFIX)) throw refused(`does not begin with ${PREFIX}`);
  if (word.length > MAX_CHARACTERS) throw refused(`is longer than ${MAX_CHARACTERS} characters`);
  let fields: unknown;
  try {
    fields = JSON.parse(Buffer.from(word.slice(PREFIX.length), 'base64url').toString('utf8'));
  } catch {
    throw refused('is cut off or damaged');
  }
  if (!Array.isArray(fields)) throw refused('is damaged');
  const [cell, expiresMs, fingerprint, secret, ...addresses] = fields as unknown[];
  if (typeof cell !== 'string' || !isCellName(cell)) throw refused('names no cell');
  if (typeof expiresMs !== 'number' || !Number.isSafeInteger(expiresMs)) throw refused('has no expiry');
  const digest = typeof fingerprint === 'string' ? Buffer.from(fingerprint, 'base64url') : Buffer.alloc(0);
  if (digest.length !== 32) throw refused('has no fingerprint of the controller');
  if (typeof secret !== 'string' || secret.length < 32) throw refused('has no secret');
  const isAddress = (address: unknown): address is string => typeof address === 'string' && isDialAddress(address);
  if (addresses.length === 0 || !addresses.every(isAddress)) throw refused('holds no address that can be dialled');
  return { cell, fingerprint: digest.toString('hex'), addresses, expiresMs, secret };
};
