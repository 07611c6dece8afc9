/**
 * Certificate requests (PKCS#10): a public key, and the proof that whoever asks holds the private one.
 * Names inside a request are not read: the token or the present certificate decides who it is for.
 */
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { FleetError } from '../domain/errors.ts';
import { bits, elements, integer, oid, sequence, setOf, tagged, utf8 } from './der.ts';
import { isP256, publicKeyDer } from './key.ts';

const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const COMMON_NAME = oid('2.5.4.3');

export const makeCsr = (key: KeyObject): Buffer => {
  const request = sequence(
    integer(Buffer.of(0)),
    sequence(setOf(sequence(COMMON_NAME, utf8('fleet')))),
    publicKeyDer(key),
    tagged(0),
  );
  return sequence(request, ECDSA_SHA256, bits(sign('sha256', request, key)));
};

const refused = (why: string): FleetError => new FleetError('INVALID_ARGUMENT', `certificate request refused: ${why}`);

/** The key that a request proves to hold; INVALID_ARGUMENT unless it is P-256 and signed by itself. */
export const openCsr = (der: Buffer): KeyObject => {
  if (der.length > 4096) throw refused('longer than 4096 bytes');
  const [outer, ...rest] = elements(der);
  const [request, algorithm, signature] = outer?.tag === 0x30 && rest.length === 0 ? elements(outer.content) : [];
  const [, , publicKey] = request?.tag === 0x30 ? elements(request.content) : [];
  if (!request || !publicKey || signature?.tag !== 0x03 || signature.content[0] !== 0) throw refused('not PKCS#10');
  if (!algorithm?.whole.equals(ECDSA_SHA256)) throw refused('not signed with ECDSA and SHA-256');
  let key: KeyObject;
  try {
    key = createPublicKey({ key: publicKey.whole, format: 'der', type: 'spki' });
  } catch (error) {
    throw new FleetError('INVALID_ARGUMENT', 'certificate request refused: unreadable public key', { cause: error });
  }
  if (!isP256(key)) throw refused('the key is not P-256');
  if (!verify('sha256', request.whole, key, signature.content.subarray(1))) throw refused('its signature is wrong');
  return key;
};
