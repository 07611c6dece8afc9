/**
 * Asks an address, over TLS and before any trust, whether a controller known by fingerprint answers there. What
 * comes back is proven by the fingerprint; nothing secret is sent.
 */

import { X509Certificate } from 'node:crypto';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { FleetError } from '../domain/errors.ts';
import { authorityFingerprint } from './authority.ts';
import { verifyPeer } from './trust.ts';

export interface Probed {
  /** The authority's certificate, to be trusted from now on. */
  trustBundlePem: string;
  controller: string;
}

const chainOf = (socket: TLSSocket): X509Certificate[] => {
  const chain: X509Certificate[] = [];
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (next?.raw && chain.length < 4) {
    const certificate = new X509Certificate(next.raw);
    if (chain.some((seen) => seen.fingerprint256 === certificate.fingerprint256)) break;
    chain.push(certificate);
    next = next.issuerCertificate;
  }
  return chain;
};

const judge = (socket: TLSSocket, target: ProbeTarget, nowMs: number): Probed => {
  const [leaf, ...others] = chainOf(socket);
  const authority = others.find((certificate) => authorityFingerprint(certificate) === target.fingerprint);
  if (leaf === undefined || authority === undefined) {
    throw new FleetError(
      'UNAUTHENTICATED',
      `${target.address} answers with another key than the token names: not this controller, or somebody in between`,
    );
  }
  const verdict = verifyPeer(leaf.raw, new Map([[target.cell, [authority]]]), nowMs, 'server');
  if (!verdict.ok || verdict.id.kind !== 'controller') {
    const why = verdict.ok ? 'no controller' : verdict.reason;
    throw new FleetError('UNAUTHENTICATED', `${target.address}: certificate of ${verdict.uri} refused (${why})`);
  }
  return { trustBundlePem: authority.toString(), controller: verdict.uri };
};

const endpointOf = (address: string): { path: string } | { host: string; port: number } => {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) };
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
};

export interface ProbeTarget {
  /** host:port, or unix:/path where a tunnel ends. */
  address: string;
  cell: string;
  fingerprint: string;
}

/** UNAVAILABLE: nobody there. UNAUTHENTICATED: somebody else there. DEADLINE_EXCEEDED: no TLS within the time. */
export const probeController = (
  target: ProbeTarget,
  options: { timeoutMs: number; nowMs: () => number; signal?: AbortSignal },
): Promise<Probed> =>
  new Promise((resolve, reject) => {
    const socket = connect({
      ...endpointOf(target.address),
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
    });
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', cancel);
      settle();
      socket.destroy();
    };
    const cancel = (): void => end(() => reject(new FleetError('CANCELLED', `probe of ${target.address} cancelled`)));
    const timer = setTimeout(() => {
      const error = new FleetError('DEADLINE_EXCEEDED', `${target.address}: no TLS within ${options.timeoutMs} ms`);
      end(() => reject(error));
    }, options.timeoutMs);
    options.signal?.addEventListener('abort', cancel, { once: true });
    if (options.signal?.aborted) cancel();
    socket.on('error', (cause) =>
      end(() => reject(new FleetError('UNAVAILABLE', `${target.address}: ${cause.message}`, { cause }))),
    );
    socket.on('secureConnect', () =>
      end(() => {
        try {
          resolve(judge(socket, target, options.nowMs()));
        } catch (error) {
          reject(error);
        }
      }),
    );
  });
