/**
 * A join token becomes an identity: the key is made here, the controller is known by the token's fingerprint before
 * anything secret is sent, and the token's file goes away only after the identity is on disk.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FleetError } from '../../src/domain/errors.ts';
import { makeCsr } from '../../src/identity/csr.ts';
import { parseHandedToken } from '../../src/identity/handed-token.ts';
import { loadOrMakeKey } from '../../src/identity/key.ts';
import { probeController } from '../../src/identity/probe.ts';
import { parseToken } from '../../src/identity/token.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { CertificateResponse, EnrollRequest } from '../../src/wire/gen/fleet/v1/enrollment.ts';
import type { EnrolledIdentity, IdentityFile } from './identity-file.ts';
import { knownAddresses } from './known-addresses.ts';

export interface JoinOptions {
  file: IdentityFile;
  clock: Clock;
  machineId: string;
  version: string;
  /** What this machine calls itself, where the token leaves it open. */
  hostName: string;
  userName: string;
  enroll(address: string, trustBundlePem: string, cell: string, request: EnrollRequest): Promise<CertificateResponse>;
}

const PROBE_TIMEOUT_MS = 5_000;

/**
 * Throws FleetError; where no address works, the reason of one that may work later if there is such a one, and so is
 * retryable.
 */
export const joinWithToken = async (handed: string, options: JoinOptions): Promise<EnrolledIdentity> => {
  const { token: text, addresses: preferred } = parseHandedToken(handed);
  const token = parseToken(text);
  const csr = makeCsr(await loadOrMakeKey(options.file.keyPath));
  const addresses = [...new Set([...preferred, ...token.addresses])];
  let last: unknown = new FleetError(
    'INVALID_ARGUMENT',
    'join token names no address: make a new one with "fleet token"',
  );
  for (const address of addresses) {
    let isProven = false;
    try {
      const { trustBundlePem } = await probeController(
        { address, cell: token.cell, fingerprint: token.fingerprint },
        { timeoutMs: PROBE_TIMEOUT_MS, nowMs: options.clock.nowMs },
      );
      isProven = true;
      const answer = await options.enroll(address, trustBundlePem, token.cell, {
        secret: token.secret,
        csr,
        machineId: options.machineId,
        version: options.version,
        host: token.host || options.hostName,
        user: token.user || options.userName,
      });
      const identity = identityFrom(answer, [address, ...addresses.filter((other) => other !== address)]);
      await options.file.save(identity);
      return identity;
    } catch (error) {
      // Somebody else at an address says nothing of the others: private addresses and loopback are many machines'.
      if (isProven || !isRetryable(last)) last = error;
      if (isProven && !isRetryable(error)) break;
    }
  }
  throw last;
};

const isRetryable = (error: unknown): boolean => !(error instanceof FleetError) || error.retryable;

export const identityFrom = (answer: CertificateResponse, known: readonly string[]): EnrolledIdentity => ({
  cell: answer.cell,
  host: answer.host,
  user: answer.user,
  tenantId: answer.tenantId,
  addresses: knownAddresses(known[0], known.slice(1), answer.addresses),
  certificatePem: answer.certificatePem,
  trustBundlePem: answer.trustBundlePem,
});

/** The token left for us by `up`, `host add` or `host join`: `<folder>/join-token`, mode 0600. */
export const takeTokenFile = async (folder: string): Promise<{ text: string; done: () => Promise<void> } | null> => {
  const path = join(folder, 'join-token');
  try {
    return { text: await readFile(path, 'utf8'), done: () => rm(path, { force: true }) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
};
