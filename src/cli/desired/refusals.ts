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

/** `control` as the host says it; null where it lets its roster be applied. A newer host may name levels that we do not know. */
export const policyRefusal = ({ host, user }: Named, control: string): FleetError | null =>
  ['observe', 'send', 'lifecycle'].includes(control)
    ? new FleetError(
        'FAILED_PRECONDITION',
        `the policy of ${host}/${user} lets callers only ${control}: fleet host control ${host} deploy grants more`,
      )
    : null;

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
