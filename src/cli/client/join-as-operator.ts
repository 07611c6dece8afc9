/**
 * An invitation becomes a context: the key is made here, the controller is known by the fingerprint before anything secret
 * is sent. An answer that was lost is had again by the same invitation; what was refused for good leaves nothing.
 */
import { FleetError } from '../../domain/errors.ts';
import { readCertificate } from '../../identity/certificate.ts';
import { makeCsr } from '../../identity/csr.ts';
import { keyFingerprint } from '../../identity/key.ts';
import { knownAddresses } from '../../identity/known-addresses.ts';
import { probeController } from '../../identity/probe.ts';
import { parseSpiffeId } from '../../identity/spiffe-id.ts';
import type { JoinToken } from '../../identity/token.ts';
import { FLEET_VERSION } from '../../runtime/version.ts';
import type { CertificateResponse } from '../../wire/gen/fleet/v1/enrollment_messages.ts';
import { keyOfNew, removeContext, saveContext } from './context-files.ts';
import { dialController } from './dial-controller.ts';
import { enroll } from './enrollment-methods.ts';
import { GrpcChannel } from './grpc-channel.ts';

const PROBE_TIMEOUT_MS = 3_000;
const ENROLL_DEADLINE_MS = 10_000;

/** Throws the controller's refusal, or UNAVAILABLE naming every address and why it was not reached. */
export const joinAsOperator = async (token: JoinToken, folder: string, signal: AbortSignal): Promise<void> => {
  const key = await keyOfNew(folder);
  try {
    const { address, trustBundlePem } = await findController(token, signal);
    const answer = await askFor(token, { address, trustBundlePem, csr: makeCsr(key) }, signal);
    const certificate = readCertificate(answer.certificatePem);
    const id = parseSpiffeId(certificate.uri ?? '');
    if (id?.kind !== 'operator' || certificate.keyFingerprint !== keyFingerprint(key)) {
      throw new FleetError('INTERNAL', `${address} answered with a certificate of somebody else (${certificate.uri})`);
    }
    const addresses = knownAddresses(address, answer.addresses, token.addresses);
    const { certificatePem, trustBundlePem: bundle } = answer;
    await saveContext(folder, { certificatePem, trustBundlePem: bundle, cell: id.cell, operator: id.name, addresses });
  } catch (error) {
    if (error instanceof FleetError && !error.retryable && !signal.aborted) await removeContext(folder);
    throw error;
  }
};

const findController = async (
  { addresses, cell, fingerprint }: JoinToken,
  signal: AbortSignal,
): Promise<{ address: string; trustBundlePem: string }> => {
  const failures: string[] = [];
  for (const address of addresses) {
    try {
      const options = { timeoutMs: PROBE_TIMEOUT_MS, nowMs: Date.now, signal };
      const { trustBundlePem } = await probeController({ address, cell, fingerprint }, options);
      return { address, trustBundlePem };
    } catch (error) {
      if (signal.aborted || !(error instanceof FleetError)) throw error;
      failures.push(error.message);
    }
  }
  const why = failures.length === 0 ? 'the invitation names no address' : failures.join('; ');
  throw new FleetError('UNAVAILABLE', `controller of cell ${cell} unreachable: ${why}`);
};

const askFor = async (
  { cell, secret }: JoinToken,
  { address, trustBundlePem, csr }: { address: string; trustBundlePem: string; csr: Buffer },
  signal: AbortSignal,
): Promise<CertificateResponse> => {
  const stranger = { certificatePem: null, keyPem: null, trustBundlePem, cell };
  const what = `controller of cell ${cell}`;
  using channel = new GrpcChannel({
    at: {
      open: (left, withinMs) => dialController([address], stranger, what, { signal: left, withinMs }),
      called: address,
    },
    what,
    mend: 'ask for a new invitation',
  });
  const request = { secret, csr, machineId: '', version: FLEET_VERSION, host: '', user: '' };
  return await channel.unary(enroll, request, { deadlineMs: ENROLL_DEADLINE_MS, signal });
};
