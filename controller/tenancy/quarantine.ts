/** What a host in quarantine hears, and whoever would give it an order: it may report, ask nothing, and is told nothing to do. */
import { FleetError } from '../../src/domain/errors.ts';
import type { HostAgentRecord } from '../../src/view/fleet-view.ts';
import type { Caller } from './caller.ts';

const lifting = (host: string): string => `an administrator lifts it with "fleet host quarantine ${host} --lift"`;

export const inQuarantine = ({ host }: Pick<Caller, 'host'>): FleetError =>
  new FleetError('FAILED_PRECONDITION', `${host} is in quarantine: it may report and ask nothing; ${lifting(host)}`);

/** FAILED_PRECONDITION; of a host that the caller sees. A peer is not told why. */
export const requireTakesOrders = (
  { id, host, quarantined }: HostAgentRecord,
  { grants }: Pick<Caller, 'grants'>,
): void => {
  if (!quarantined) return;
  if (grants !== null) throw new FleetError('FAILED_PRECONDITION', `${id} takes no orders now`);
  throw new FleetError('FAILED_PRECONDITION', `${id} is in quarantine: it takes no orders; ${lifting(host)}`);
};
