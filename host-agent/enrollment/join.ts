/**
 * A join token becomes an identity: the key is made here, the controller is known by the token's fingerprint before
 * anything secret is sent, and the token's file goes away only after the identity is on disk.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FleetError } from '../../src/domain/errors.ts';
import { makeCsr } from '../../src/identity/csr.ts';
import { parseHandedToken } from '../../src/identity/handed-token.ts';
import { loadOrMakeKey } from '../../src/identity/key.ts';
import { knownAddresses } from '../../src/identity/known-addresses.ts';
import { probeController } from '../../src/identity/probe.ts';
import { parseToken } from '../../src/identity/token.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { readFileText } from '../../src/runtime/read-file.ts';
import type { CertificateResponse, EnrollRequest } from '../../src/wire/gen/fleet/v1/enrollment_messages.ts';
import type { EnrolledIdentity, IdentityFile } from './identity-file.ts';
import { keepLeft } from './left-cells.ts';

export interface JoinOptions {
  file: IdentityFile;
  clock: Clock;
  machineId: string;
  version: string;
  /** What this machine calls itself, where the token leaves it open. */
  hostName: string;
  userName: string;
  enroll(
    address: string,
    trustBundlePem: string,
    cell: string,
    request: EnrollRequest,
    signal?: AbortSignal,
  ): Promise<CertificateResponse>;
}

const PROBE_TIMEOUT_MS = 5_000;
const MAX_TOKEN_FILE_BYTES = 64 * 1024;

/**
 * Throws FleetError; where no address works, the reason of one that may work later if there is such a one, and so is
 * retryable. An abort ends it between and within calls; the token is then as good as before.
 */
export const joinWithToken = async (
  handed: string,
  options: JoinOptions,
  signal?: AbortSignal,
): Promise<EnrolledIdentity> => {
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
        { timeoutMs: PROBE_TIMEOUT_MS, nowMs: options.clock.nowMs, ...(signal ? { signal } : {}) },
      );
      isProven = true;
      const request = {
        secret: token.secret,
        csr,
        machineId: options.machineId,
        version: options.version,
        host: token.host || options.hostName,
        user: token.user || options.userName,
      };
      const answer = await options.enroll(address, trustBundlePem, token.cell, request, signal);
      const identity = identityFrom(answer, [address, ...addresses.filter((other) => other !== address)]);
      await keepLeft(options.file, identity, options.clock.nowMs());
      await options.file.save(identity);
      return identity;
    } catch (error) {
      if (signal?.aborted) throw error;
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

/** A token in a file: its text, and how the file is removed when nothing more can come of it. */
export interface TokenFile {
  text: string;
  done(): Promise<void>;
}

/**
 * The token left for us by `up`, `host add` or `host join`: `<folder>/join-token`, mode 0600; null without one.
 * Throws FAILED_PRECONDITION for what stands there and cannot be read.
 */
export const takeTokenFile = async (folder: string): Promise<TokenFile | null> => {
  const path = join(folder, 'join-token');
  const file = await readFileText(path, { maxBytes: MAX_TOKEN_FILE_BYTES, followLinks: true });
  if (file.kind === 'missing') return null;
  if (file.kind === 'text') return { text: file.text, done: () => rm(path, { force: true }) };
  const words = `the join token ${path} ${file.words}: remove it, and hand it over with "fleet host join"`;
  throw new FleetError('FAILED_PRECONDITION', words);
};
