/** The agent of this host's roster that an order names, and its unit. Throws OrderEnd for everything else. */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { UnitNow } from '../../src/domain/unit-now.ts';
import { OrderEnd } from '../command/order-end.ts';
import type { LifecyclePorts } from './ports.ts';

export interface ManagedAgent {
  row: AgentRow;
  unit: UnitNow;
}

export const managedRow = (ports: LifecyclePorts, key: string): AgentRow => {
  const row = ports.rows.row(key);
  if (row === undefined) throw new OrderEnd('gone', 'no such agent here any more');
  if (!row.managed) throw new OrderEnd('refused', 'it is in no roster of this host, so nobody knows how to start it');
  if (ports.isHolder(row.agent)) throw new OrderEnd('refused', 'it is the holder, with which every other session ends');
  const problem = ports.unitsProblem();
  if (problem !== null) throw new OrderEnd('refused', `its unit cannot be asked: ${problem}`);
  const server = ports.servers().find(({ socket }) => socket === row.tmux?.socket);
  if (server?.problem) throw new OrderEnd('refused', `its tmux server cannot be asked: ${server.problem.words}`);
  return row;
};

/** Read anew, from disk and from systemd. */
export const managedAgent = async (ports: LifecyclePorts, key: string): Promise<ManagedAgent> => {
  const row = managedRow(ports, key);
  const unit = await ports.units.read(ports.unitOf(row.agent));
  if (unit.loadState === 'not-found') throw new OrderEnd('refused', `it has no unit ${unit.name}`);
  if (unit.loadState !== 'loaded') throw new OrderEnd('refused', `its unit ${unit.name} is ${unit.loadState}`);
  return { row, unit };
};

export const isUp = ({ activeState }: UnitNow): boolean => ['active', 'activating', 'reloading'].includes(activeState);

/** Active, with nothing of its own that runs: what it started may be gone. */
export const isExited = ({ activeState, mainPid, isOneshot }: UnitNow): boolean =>
  activeState === 'active' && mainPid === null && isOneshot;

/** `mosaic-agent@coder.service is failed (exit-code, status 3)`. */
export const unitWords = ({ name, activeState, result, exitStatus }: UnitNow): string => {
  const facts = [
    ...(result === null || result === 'success' ? [] : [result]),
    ...(exitStatus === null || exitStatus === 0 ? [] : [`status ${exitStatus}`]),
  ];
  return `${name} is ${activeState}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
};
