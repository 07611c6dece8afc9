/**
 * Tokens: one opaque word, `fleet1.…` of a host, `fleet1o.…` of an operator, that holds where the controller is, how to
 * know it, for whom the token is, and a secret. The controller keeps only the secret's hash.
 */
import { createHash, randomBytes } from 'node:crypto';
import { FleetError } from '../domain/errors.ts';
import { isCellName, isIdentityName } from './spiffe-id.ts';

export const TOKEN_LIFETIME_MAX_MS = 15 * 60_000;
const PREFIXES = { host: 'fleet1.', operator: 'fleet1o.' } as const;
export type TokenKind = keyof typeof PREFIXES;
/** Words for whoever took the one for the other; what a token is good for the controller alone decides. */
const WORDS: Record<TokenKind, { name: string; made: string; used: string }> = {
  host: { name: 'join token', made: 'fleet token', used: 'fleet host join' },
  operator: { name: 'invitation', made: 'fleet operator invite', used: 'fleet login' },
};

export interface JoinToken {
  /** host:port, in the order to try. */
  addresses: string[];
  /** `authorityFingerprint` of the cell. */
  fingerprint: string;
  cell: string;
  /** Empty where the machine may choose. */
  host: string;
  /** Of an operator's token its name. */
  user: string;
  /** Wall clock of the controller. */
  expiresMs: number;
  secret: string;
}

export const makeTokenSecret = (): string => randomBytes(24).toString('base64url');
export const hashTokenSecret = (secret: string): string => createHash('sha256').update(secret, 'utf8').digest('hex');

export const formatToken = (token: JoinToken, kind: TokenKind = 'host'): string => {
  const fields = [
    token.cell,
    token.host,
    token.user,
    token.expiresMs,
    Buffer.from(token.fingerprint, 'hex').toString('base64url'),
    token.secret,
    ...token.addresses,
  ];
  return PREFIXES[kind] + Buffer.from(JSON.stringify(fields), 'utf8').toString('base64url');
};

const refusedAs =
  (kind: TokenKind) =>
  (why: string): FleetError => {
    const { name, made } = WORDS[kind];
    return new FleetError('INVALID_ARGUMENT', `${name} ${why}: copy it whole, or make a new one with "${made}"`);
  };

const ofAnotherKind = (word: string, wanted: TokenKind): FleetError | null => {
  const other = (Object.keys(PREFIXES) as TokenKind[]).find((kind) => word.startsWith(PREFIXES[kind]));
  if (other === undefined || other === wanted) return null;
  const { name, used } = WORDS[other];
  return new FleetError('INVALID_ARGUMENT', `this ${name} is no ${WORDS[wanted].name}: "${used}" takes it`);
};

const ADDRESS = /^(?:\[[0-9A-Fa-f:.%a-z]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})$/;
/** `host:port` with a name, an IPv4 address, or an IPv6 address in brackets. */
export const isDialAddress = (text: string): boolean => {
  const port = Number(ADDRESS.exec(text)?.[1]);
  return port > 0 && port < 65_536;
};

/** INVALID_ARGUMENT that says what is wrong with it; expiry is judged by the controller's clock, not here. */
export const parseToken = (text: string, kind: TokenKind = 'host'): JoinToken => {
  const refused = refusedAs(kind);
  const prefix = PREFIXES[kind];
  const word = text.trim();
  if (word === '') throw refused('is empty');
  if (!word.startsWith(prefix)) {
    const isOurs = /^fleet\d+[a-z]*\./.test(word);
    throw (
      ofAnotherKind(word, kind) ?? refused(isOurs ? 'is of another version of fleet' : `does not begin with ${prefix}`)
    );
  }
  if (word.length > 8_192) throw refused('is longer than 8192 characters');
  let fields: unknown;
  try {
    fields = JSON.parse(Buffer.from(word.slice(prefix.length), 'base64url').toString('utf8'));
  } catch {
    throw refused('is cut off or damaged');
  }
  if (!Array.isArray(fields)) throw refused('is damaged');
  const [cell, host, user, expiresMs, fingerprint, secret, ...addresses] = fields as unknown[];
  const isName = (name: unknown): name is string => typeof name === 'string' && (name === '' || isIdentityName(name));
  if (typeof cell !== 'string' || !isCellName(cell)) throw refused('names no cell');
  if (!isName(host) || !isName(user)) throw refused('names an impossible host or user');
  if (typeof expiresMs !== 'number' || !Number.isSafeInteger(expiresMs)) throw refused('has no expiry');
  const digest = typeof fingerprint === 'string' ? Buffer.from(fingerprint, 'base64url') : Buffer.alloc(0);
  if (digest.length !== 32) throw refused('has no fingerprint of the controller');
  if (typeof secret !== 'string' || secret.length < 32) throw refused('has no secret');
  const isAddress = (address: unknown): address is string => typeof address === 'string' && isDialAddress(address);
  if (!addresses.every(isAddress)) throw refused('holds an impossible address');
  return { cell, host, user, expiresMs, fingerprint: digest.toString('hex'), secret, addresses };
};
