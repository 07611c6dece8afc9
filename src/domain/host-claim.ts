/** Whose a host's name is: one machine for a name, one name for a machine, several users on both. Pure. */

export interface HostClaim {
  host: string;
  user: string;
  machineId: string;
}

/** Whether both cannot stand in one cell. */
export const areRivals = (a: HostClaim, b: HostClaim): boolean => (a.host === b.host) !== (a.machineId === b.machineId);

/** Why `claim` is refused while `rival` stands, and the two ways out. Whose it is, only where the reader may know. */
export const rivalWords = (claim: HostClaim, rival: { host: string; user?: string }): string => {
  const whose = rival.user === undefined ? '' : ` (enrolled for ${rival.user})`;
  return rival.host === claim.host
    ? `the name ${claim.host} belongs to another machine${whose}: ` +
        'enrol this one with --name OTHER, or take the name over with --replace'
    : `this machine is enrolled as ${rival.host}${whose}: ` +
        `enrol it with --name ${rival.host}, or rename it with --replace`;
};
