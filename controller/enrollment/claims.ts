/** Who may bear which name: one machine for a host's name, one name for a machine, several users on both. */
import { FleetError } from '../../src/domain/errors.ts';
import type { IdentityRecord, Records } from '../store/records.ts';

export interface Claim {
  host: string;
  user: string;
  machineId: string;
}

/** Enrolled host-agents whose name or machine `claim` would take; what a replacing token revokes. */
export const rivalsOf = (records: Records, claim: Claim): { uri: string; record: IdentityRecord }[] =>
  [...records.identities.entries()]
    .map(([uri, record]) => ({ uri, record }))
    .filter(({ record }) => record.kind === 'host' && !record.revoked)
    .filter(({ record }) => (record.host === claim.host) !== (record.machineId === claim.machineId));

/** ALREADY_EXISTS naming the rival and the two ways out. */
export const requireFree = (records: Records, claim: Claim): void => {
  const rival = rivalsOf(records, claim)[0]?.record;
  if (rival === undefined) return;
  throw new FleetError(
    'ALREADY_EXISTS',
    rival.host === claim.host
      ? `the name ${claim.host} belongs to another machine (enrolled for ${rival.user}): ` +
          'enrol this one with --name OTHER, or take the name over with --replace'
      : `this machine is enrolled as ${rival.host} (for ${rival.user}): ` +
          `enrol it with --name ${rival.host}, or rename it with --replace`,
  );
};
