/**
 * Which agents an order is meant for: those that are named, or every agent of a roster that a selection
 * fits. Comes in: one snapshot. Throws NOT_FOUND for a name that means none or several, and for a selection of nobody.
 */
import { type AddressTarget, encodePart, formatAddress, parseAddress } from '../../domain/address.ts';
import { FleetError } from '../../domain/errors.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { ViewMirror } from '../client/view-mirror.ts';
import { type AgentTarget, agentIn } from '../orders/change-target.ts';

export interface Selection {
  /** As typed; empty where agents are selected. */
  named: readonly string[];
  hosts: readonly string[];
  roles: readonly string[];
  /** Host whose holder is meant, and no agent. */
  holder: string | null;
}

/** Each once: those named, or all of rosters at home on these hosts with these roles. Throws NOT_FOUND where none fits. */
export const selectAgents = (
  mirror: ViewMirror,
  { named, hosts, roles }: Omit<Selection, 'holder'>,
  intent: 'change' | 'destroy',
): AgentTarget[] => {
  if (named.length > 0) {
    const found = named.map((name) => agentIn(mirror, parseAddress(name), intent));
    return [...new Map(found.map((agent) => [agent.address, agent])).values()];
  }
  const all = [...ownAgents(mirror)];
  for (const host of hosts) {
    if (all.some((agent) => agent.moment.host.host === host)) continue;
    throw new FleetError('NOT_FOUND', `no agent of a roster on host ${host}: fleet hosts lists the hosts`);
  }
  const fits = all.filter(
    ({ moment, row }) =>
      (hosts.length === 0 || hosts.includes(moment.host.host)) &&
      (roles.length === 0 || (row.role !== null && roles.includes(row.role))),
  );
  if (fits.length === 0) throw new FleetError('NOT_FOUND', 'no agent of a roster fits: fleet ps -o wide shows roles');
  return fits;
};

/** Of the cell at home, in roster order; nobody starts or stops all of a peer's. */
function* ownAgents(mirror: ViewMirror): Generator<AgentTarget> {
  const nowMono = systemClock.monotonicMs();
  const ids = [...mirror.hostAgentIds()].sort();
  for (const id of ids) {
    const moment = mirror.momentOf(id, nowMono);
    if (moment === undefined || moment.host.cell !== mirror.cell) continue;
    const rows = [...mirror.rowsOf(id)].map(({ row }) => row).filter(({ managed }) => managed);
    for (const row of rows.sort((a, b) => a.order - b.order)) {
      const { cell, host, user, here } = moment.host;
      const target: AddressTarget = { cell, host, user, agent: row.agent, here };
      const address = formatAddress(target);
      const typed = address.slice(encodePart(cell).length + 1);
      yield { address, typed, cell, hostAgent: id, key: row.key, row, here, moment };
    }
  }
}
