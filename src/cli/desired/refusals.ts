/** Why nothing is begun, with what to do. */
import { FleetError } from '../../domain/errors.ts';

interface Named {
  host: string;
  user: string;
}

export const cannotRead = ({ host, user }: Named, problem: string): FleetError =>
  new FleetError(
    'FAILED_PRECONDITION',
    `the roster of ${host}/${user} cannot be read: ${problem}; mend it there, or --force keeps it beside the new one`,
  );

export const cannotEdit = ({ host, user }: Named, problem: string): FleetError =>
  new FleetError(
    'FAILED_PRECONDITION',
    `the roster of ${host}/${user} cannot be read: ${problem}; mend it there first`,
  );

export const leavesShared = (agents: readonly string[]): FleetError =>
  new FleetError(
    'FAILED_PRECONDITION',
    `${agents.join(', ')} would leave the tmux server that others share: fleet apply --migrate moves agents, one by one`,
  );

export const awayRefusal = ({ host, user }: Named, age: string, detail?: string): FleetError =>
  new FleetError(
    'UNAVAILABLE',
    `${host}/${user} cannot be asked now (${age}): ${detail === undefined ? '' : `${detail}; `}fleet doctor ${host} says why`,
  );
