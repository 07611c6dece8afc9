/** A TLS line to a controller by the first of its addresses that answers in time and proves to be it. */
import { X509Certificate } from 'node:crypto';
import { FleetError } from '../../domain/errors.ts';
import { type ClientIdentityPem, clientTls } from '../../identity/client-tls.ts';
import { connectedOverTls } from './tls-transport.ts';
import { type Transport, TransportError } from './transport.ts';

export interface OpenLine {
  transport: Transport;
  /** host:port that answered. */
  address: string;
  /** What the controller proved itself by. */
  certificatePem: string;
}

/** Of each address, where nobody is in a greater hurry. */
const DIAL_TIMEOUT_MS = 3_000;
const LEAST_TIMEOUT_MS = 200;
/** Of the time that there is; the rest is for saying that nobody answered. */
const SHARE = 0.8;

/** The system's words are for programmers. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to it',
  ENOTFOUND: 'no such name',
  EAI_AGAIN: 'its name cannot be looked up now',
};

const ADDRESS = /^\[?(.*?)\]?:(\d+)$/;

export interface DialLimits {
  signal: AbortSignal;
  /** For all addresses together; Infinity where nobody waits for it to end. */
  withinMs: number;
}

/** UNAVAILABLE naming each address and why it was not reached; nothing was asked of anybody then. */
export const dialController = async (
  addresses: readonly string[],
  identity: ClientIdentityPem,
  what: string,
  { signal, withinMs }: DialLimits,
): Promise<OpenLine> => {
  const { secureContextOptions, checkServerIdentity } = clientTls(identity, Date.now);
  let certificatePem = '';
  const seen: typeof checkServerIdentity = (hostname, certificate) => {
    certificatePem = new X509Certificate(certificate.raw).toString();
    return checkServerIdentity(hostname, certificate);
  };
  const tls = { ...secureContextOptions, checkServerIdentity: seen };
  const failures: string[] = [];
  const share = (SHARE * withinMs) / addresses.length;
  const timeoutMs = Math.floor(Math.min(DIAL_TIMEOUT_MS, Math.max(LEAST_TIMEOUT_MS, share)));
  for (const address of addresses) {
    const [, host = '', port = ''] = ADDRESS.exec(address) ?? [];
    try {
      const transport = await connectedOverTls(host, Number(port), tls, { timeoutMs, signal });
      return { transport, address, certificatePem };
    } catch (error) {
      if (signal.aborted || !(error instanceof TransportError)) throw error;
      failures.push(`${address}: ${WORDS[error.errno ?? ''] ?? error.message}`);
    }
  }
  const cause = new TransportError('no address was reached', { errno: 'ENOTCONN' });
  const why = failures.length === 0 ? 'no address of it is known' : failures.join('; ');
  throw new FleetError('UNAVAILABLE', `${what} unreachable: ${why}`, { cause });
};
