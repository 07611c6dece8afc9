/** What exists for a caller: what is its tenants'; for whoever reaches the admin socket, everything. */
import { formatAddress } from '../../src/domain/address.ts';
import { FleetError } from '../../src/domain/errors.ts';
import { holderUnitOf } from '../../src/domain/holder.ts';
import type { FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import { decodeAgentRow } from '../../src/wire/agent-row.ts';
import type { Caller } from './caller.ts';

export const isVisible = ({ tenants }: Caller, { tenantId }: { tenantId: string }): boolean =>
  tenants === 'all' || tenants.includes(tenantId);

/** Names what exists for a caller: two with the same word see the same. */
export const scopeOf = ({ tenants }: Caller): string => (tenants === 'all' ? '*' : [...tenants].sort().join(' '));

export const noSuchAgent = (): FleetError => new FleetError('NOT_FOUND', 'no such agent: see "fleet ps"');

/** NOT_FOUND in the same words whether there is no such agent or it is another tenant's. */
export const visibleHostOf = (
  view: FleetView,
  caller: Caller,
  target: { hostAgent: string; key: string } | undefined,
): HostAgentRecord => {
  if (target === undefined) throw new FleetError('INVALID_ARGUMENT', 'the request names no agent');
  const record = view.hostAgent(target.hostAgent);
  if (record === undefined || !isVisible(caller, record) || !view.rowsOf(record.id).has(target.key)) {
    throw noSuchAgent();
  }
  return record;
};

/** NOT_FOUND in the same words whether there is no such host-agent or it is another tenant's. */
export const visibleHost = (view: FleetView, caller: Caller, id: string): HostAgentRecord => {
  const record = view.hostAgent(id);
  if (record !== undefined && isVisible(caller, record)) return record;
  throw new FleetError('NOT_FOUND', 'no such host: see "fleet hosts"');
};

/** `cell/host/user/agent`; of an agent that is not known, what the request calls it, cut short. */
export const addressOf = (view: FleetView, target: { hostAgent: string; key: string } | undefined): string => {
  const { hostAgent = '', key = '' } = target ?? {};
  const record = view.hostAgent(hostAgent);
  const row = view.rowsOf(hostAgent).get(key);
  const agent = row === undefined ? holderUnitOf(key) : decodeAgentRow(row.row).agent;
  if (record === undefined || agent === null) return `${hostAgent} ${key}`.slice(0, 256);
  const { cell, host, user } = record;
  return formatAddress({ cell, host, user, agent });
};
