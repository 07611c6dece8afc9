/** What another cell says of itself, checked: authorities of that very cell, and addresses that can be dialled. */
import type { X509Certificate } from 'node:crypto';
import { FleetError } from '../domain/errors.ts';
import { authorityFingerprint, authorityName } from './authority.ts';
import { isCellName } from './spiffe-id.ts';
import { isDialAddress } from './token.ts';
import { bundleFromPem } from './trust.ts';

/** A cell has one authority, and a second one while it changes them. */
const MAX_AUTHORITIES = 4;
const MAX_PEM_CHARACTERS = 16 * 1024;
const MAX_ADDRESSES = 16;

export interface ToldPeer {
  cell: string;
  trustBundlePem: string;
  addresses: string[];
}

/** The same, its bundle in one spelling. INVALID_ARGUMENT where it is not what it says. */
export const checkedPeer = (told: ToldPeer): ToldPeer => {
  const { cell, addresses } = told;
  if (!isCellName(cell)) throw refused(`cell name ${JSON.stringify(cell.slice(0, 64))}`);
  if (addresses.length > MAX_ADDRESSES) throw refused(`more than ${MAX_ADDRESSES} addresses`);
  const wrong = addresses.find((address) => !isDialAddress(address));
  if (wrong !== undefined) throw refused(`address ${JSON.stringify(wrong.slice(0, 64))}`);
  return { cell, addresses, trustBundlePem: checkedBundle(cell, told.trustBundlePem) };
};

const checkedBundle = (cell: string, pem: string): string => {
  if (pem.length > MAX_PEM_CHARACTERS) throw refused('a trust bundle that is too long');
  const authorities = readBundle(pem);
  if (authorities.length === 0 || authorities.length > MAX_AUTHORITIES) {
    throw refused(`a trust bundle of ${authorities.length} authorities`);
  }
  // One that bore another cell's subject would be taken for that cell's in every handshake here.
  const name = `CN=${authorityName(cell)}`;
  for (const authority of authorities) {
    const { ca, subjectAltName, subject, issuer } = authority;
    const isOfCell = ca && subjectAltName === `URI:spiffe://${cell}` && subject === name && issuer === name;
    if (!isOfCell || !authority.verify(authority.publicKey)) throw refused('a trust bundle of another cell');
  }
  return authorities.map((authority) => authority.toString()).join('');
};

const readBundle = (pem: string): X509Certificate[] => {
  try {
    return bundleFromPem(pem);
  } catch {
    throw refused('a trust bundle that cannot be read');
  }
};

const refused = (what: string): FleetError => new FleetError('INVALID_ARGUMENT', `the other cell sent ${what}`);

/** Of each authority; none for a bundle that is empty. */
export const bundleFingerprints = (pem: string): string[] => bundleFromPem(pem).map(authorityFingerprint);
