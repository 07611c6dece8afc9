/**
 * Who gave an intent: judged when it is given, and again when it is carried out, as if it were given then. One that was
 * removed, was replaced, or lost its leave since gives nothing any more.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { ACCESS, objectionTo } from '../grpc/access.ts';
import { callerOf } from '../grpc/authenticate.ts';
import type { GiverRecord, Records } from '../store/records.ts';
import { actorOf, type Caller, LOCAL_CALLER } from '../tenancy/caller.ts';

export const giverOf = (caller: Caller): GiverRecord => ({
  actor: actorOf(caller),
  identity:
    caller.spiffeId === null || caller.certificate === null
      ? null
      : { spiffeId: caller.spiffeId, keyFingerprint: caller.certificate.keyFingerprint },
});

/** As the door would let it in now; PERMISSION_DENIED where it would not. A certificate that ran out takes no leave away. */
export const callerNow = (records: Records, { actor, identity }: GiverRecord): Caller => {
  if (identity === null) return LOCAL_CALLER;
  const { spiffeId, keyFingerprint } = identity;
  const record = records.identities.get(spiffeId);
  if (record === undefined || record.revoked || record.keyFingerprint !== keyFingerprint) {
    throw new FleetError('PERMISSION_DENIED', `${actor}, who gave it, was removed or replaced since`);
  }
  const caller = callerOf(records, spiffeId, record, { certificate: null, peer: '' });
  const objection = objectionTo(ACCESS.get('/fleet.v1.FleetService/PutIntent'), caller);
  if (objection === null) return caller;
  throw new FleetError('PERMISSION_DENIED', `${actor}, who gave it, may not any more: ${objection}`);
};
