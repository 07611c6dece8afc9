/** The agent that an order names, and the unit of one of this host's roster. Throws OrderEnd for everything else. */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { UnitNow } from '../../src/domain/unit-now.ts';
import { OrderEnd } from '../command/order-end.ts';
import type { LifecyclePorts } from './ports.ts';

export interface ManagedAgent {
  row: AgentRow;
  unit: UnitNow;
}

/** `adopt`: also a session that no roster names. */
export const orderedRow = (ports: LifecyclePorts, key: string, adopt: boolean): AgentRow => {
  const row = ports.rows.row(key);
  if (row === undefined) throw new OrderEnd('gone', 'no such agent here any more');
  if (!row.managed && !adopt) {
    throw new OrderEnd('refused', 'it is in no roster of this host: --adopt takes its session as it is');
  }
  if (ports.isHolder(row.agent)) {
    throw new OrderEnd('refused', 'it is the holder, with which every other session ends: --holder HOST names it');
  }
  const problem = row.managed ? ports.unitsProblem() : null;
  if (problem !== null) throw new OrderEnd('refused', `its unit cannot be asked: ${problem}`);
  const server = ports.servers().find(({ socket }) => socket === row.tmux?.socket);
  if (server?.problem) throw new OrderEnd('refused', `its tmux server cannot be asked: ${server.problem.words}`);
  return row;
};

/** Read anew, from disk and from systemd. */
export const managedAgent = async (ports: LifecyclePorts, row: AgentRow): Promise<ManagedAgent> => ({
  row,
  unit: await loadedUnit(ports, ports.unitOf(row.agent), 'it has no unit'),
});

/** Throws OrderEnd `refused` for one that cannot be started. */
export const loadedUnit = async (ports: LifecyclePorts, name: string, none: string): Promise<UnitNow> => {
  const unit = await ports.units.read(name);
  if (unit.loadState === 'not-found') throw new OrderEnd('refused', `${none} ${name}`);
  if (unit.loadState !== 'loaded') throw new OrderEnd('refused', `its unit ${name} is ${unit.loadState}`);
  return unit;
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
