/** Who may bear which name, by what is enrolled and not revoked. */
import { FleetError } from '../../src/domain/errors.ts';
import { areRivals, type HostClaim, rivalWords } from '../../src/domain/host-claim.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { IdentityRecord, Records } from '../store/records.ts';

/** Enrolled host-agents whose name or machine `claim` would take; what a replacing token revokes. */
export const rivalsOf = (records: Records, claim: HostClaim): { uri: string; record: IdentityRecord }[] =>
  [...records.identities.entries()]
    .map(([uri, record]) => ({ uri, record }))
    .filter(({ record }) => record.kind === 'host' && !record.revoked)
    .filter(({ record }) => areRivals(record, claim));

/** ALREADY_EXISTS with the two ways out; whose the name is stays in the log: it may be another tenant's. */
export const requireFree = (records: Records, claim: HostClaim, log: Logger): void => {
  const rival = rivalsOf(records, claim)[0];
  if (rival === undefined) return;
  log.warn({ host: claim.host, user: claim.user, heldBy: rival.uri }, 'enrolment refused: the name is held');
  throw new FleetError('ALREADY_EXISTS', rivalWords(claim, { host: rival.record.host }));
};
