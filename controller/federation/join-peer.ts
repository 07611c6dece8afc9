/**
 * The accepting side of an invitation: whoever answers at its address is known by the fingerprint before the secret is
 * sent. What comes back is the inviting cell's word, over a line that proved to be its.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { PeerInvitation } from '../../src/identity/invitation.ts';
import { bundleFingerprints, checkedPeer, type ToldPeer } from '../../src/identity/peer-bundle.ts';
import { probeController } from '../../src/identity/probe.ts';
import { EnrollmentServiceService } from '../../src/wire/gen/fleet/v1/enrollment.ts';
import { PeerChannel } from './peer-channel.ts';

const PROBE_TIMEOUT_MS = 3_000;
const JOIN_DEADLINE_MS = 10_000;

export interface JoinContext {
  own: ToldPeer;
  nowMs: () => number;
  signal: AbortSignal;
}

/** UNAVAILABLE when nobody answers, UNAUTHENTICATED when somebody else does; else what the inviting cell said. */
export const joinPeer = async (invitation: PeerInvitation, context: JoinContext): Promise<ToldPeer> => {
  const { nowMs, signal } = context;
  const failures: FleetError[] = [];
  for (const address of invitation.addresses) {
    const target = { address, cell: invitation.cell, fingerprint: invitation.fingerprint };
    let trustBundlePem: string;
    try {
      ({ trustBundlePem } = await probeController(target, { timeoutMs: PROBE_TIMEOUT_MS, nowMs, signal }));
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error as FleetError);
      continue;
    }
    return await ask(address, trustBundlePem, invitation, context);
  }
  // Somebody else at one of them matters more than nobody at another.
  throw failures.find(({ code }) => code === 'UNAUTHENTICATED') ?? (failures.at(-1) as FleetError);
};

const ask = async (
  address: string,
  trustBundlePem: string,
  { cell, secret, fingerprint }: PeerInvitation,
  { own, nowMs, signal }: JoinContext,
): Promise<ToldPeer> => {
  const channel = new PeerChannel(address, { certificatePem: null, keyPem: null, trustBundlePem, cell }, nowMs);
  try {
    const request = { secret, identity: { ...own } };
    const options = { signal, deadlineMs: JOIN_DEADLINE_MS };
    const { identity } = await channel.askOnce(EnrollmentServiceService.joinPeer, request, options);
    if (identity === undefined) throw new FleetError('INTERNAL', `cell ${cell} answered with nothing`);
    const told = checkedPeer(identity);
    if (told.cell !== cell || !bundleFingerprints(told.trustBundlePem).includes(fingerprint)) {
      throw new FleetError('UNAUTHENTICATED', `${address} answered for another cell than the invitation’s (${cell})`);
    }
    // It answered there just now, whatever else it says of itself.
    return { ...told, addresses: [...new Set([address, ...told.addresses])] };
  } finally {
    channel.close();
  }
};
