/**
 * Trust between cells: begun by an invitation, kept current by the peers themselves. Whenever a line stands anew, and
 * every few minutes, each tells the other its authorities and addresses as they are (SPIFFE Federation, 5: bundle refresh).
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { ToldPeer } from '../../src/identity/peer-bundle.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import { EnrollmentServiceService } from '../../src/wire/gen/fleet/v1/enrollment.ts';
import { FleetServiceService } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { PeerIdentity } from '../../src/wire/gen/fleet/v1/peers.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { FailureLimit } from '../enrollment/failure-limit.ts';
import { limitedAttempt } from '../enrollment/limited-attempt.ts';
import type { Handlers } from '../grpc/handlers.ts';
import { actorOf } from '../tenancy/caller.ts';
import type { Invitations } from './invitations.ts';
import type { PeerChannel } from './peer-channel.ts';
import type { Peers } from './peers.ts';
import type { TrustChanges } from './trust-changes.ts';

const REFRESH_MS = 60_000;
/** A peer that changed a moment ago is heard after that. */
const AGAIN_MS = 10_000;
const DEADLINE_MS = 10_000;

export const exchangeHandlers = ({
  peers,
  changes,
  invitations,
  audit,
  limit,
}: {
  peers: Peers;
  changes: TrustChanges;
  invitations: Invitations;
  audit: AuditLog;
  limit: FailureLimit;
}): Pick<Handlers<typeof EnrollmentServiceService>, 'joinPeer' | 'refreshPeer'> => ({
  joinPeer: (caller, { secret, identity }) =>
    limitedAttempt({ limit, audit }, caller, 'join-peer', async () => {
      await invitations.use(secret, told(identity), (cell) =>
        audit.record({ actor: actorOf(caller), verb: 'join-peer', target: cell, outcome: 'allowed', reason: '' }),
      );
      return { identity: said(peers) };
    }),
  refreshPeer: async (caller, { identity, trusts }) => {
    await changes.take(caller.name, told(identity), trusts, actorOf(caller));
    return { identity: said(peers), trusts: peers.known(caller.name) };
  },
});

export interface PeerLine {
  cell: string;
  channel: PeerChannel;
  signal: AbortSignal;
  log: Logger;
  /** Hears what we may do there, whenever that is asked. */
  learn(verbs: readonly string[]): void;
}

/** Until the signal aborts. A peer that does not answer this is none the worse a peer. */
export const exchangeWith = (
  peers: Peers,
  changes: TrustChanges,
  { cell, channel, signal, log, learn }: PeerLine,
): void => {
  const refresh = async (): Promise<void> => {
    const options = { signal, deadlineMs: DEADLINE_MS };
    const request = { identity: said(peers), trusts: peers.known(cell) };
    const { identity, trusts } = await channel.askOnce(EnrollmentServiceService.refreshPeer, request, options);
    await changes.take(cell, told(identity), trusts, `controller:${channel.address}`);
    learn((await channel.askOnce(FleetServiceService.whoAmI, {}, options)).verbs);
  };
  const failed = (error: unknown): number => {
    if (!signal.aborted) log.info({ peer: cell, why: (error as Error).message }, 'trust with a peer not refreshed');
    return AGAIN_MS;
  };
  void (async () => {
    while (!signal.aborted) await sleep(await refresh().then(() => REFRESH_MS, failed), signal);
  })();
};

const said = (peers: Peers): PeerIdentity => {
  const { cell, trustBundlePem, addresses } = peers.own();
  return { cell, trustBundlePem, addresses };
};

const told = (identity: PeerIdentity | undefined): ToldPeer => {
  if (identity === undefined) throw new FleetError('INVALID_ARGUMENT', 'the other cell says nothing of itself');
  return identity;
};
