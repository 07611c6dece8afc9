/**
 * What exists for a caller: what is its tenants'; for whoever reaches the admin socket, everything; for a peer, what it was
 * granted of this cell's own.
 */
import { formatAddress } from '../../src/domain/address.ts';
import { FleetError } from '../../src/domain/errors.ts';
import type { GrantVerb } from '../../src/domain/grant.ts';
import { holderUnitOf } from '../../src/domain/holder.ts';
import type { AgentRecord, FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import { decodeAgentRow } from '../../src/wire/agent-row.ts';
import type { Caller } from './caller.ts';
import { isGranted, isReached } from './granted.ts';

/** Of hosts, agents, and what is told of them. */
export const isVisible = (
  { tenants, grants }: Pick<Caller, 'tenants' | 'grants'>,
  record: HostAgentRecord | AgentRecord | { kind?: string; tenantId: string; audience?: readonly string[] | undefined },
): boolean => {
  if (grants === null) return tenants === 'all' || audienceOf(record).some((tenant) => tenants.includes(tenant));
  if (isAgent(record)) return isGranted(grants, 'observe', record);
  return isHostAgent(record) && isReached(grants, record);
};

/** A peer's names its tenants as it likes: for whom it exists here is said by us. */
const audienceOf = ({ tenantId, audience }: { tenantId: string; audience?: readonly string[] | undefined }) =>
  audience ?? [tenantId];

/** Another cell's: its own controller has the word about it. */
export const isFederated = ({ audience }: { audience?: readonly string[] | undefined }): boolean =>
  audience !== undefined;

const isAgent = (record: { kind?: string }): record is AgentRecord => record.kind === 'agent';
const isHostAgent = (record: { kind?: string }): record is HostAgentRecord => record.kind === 'host-agent';

/** Names what exists for a caller: two with the same word see the same. */
export const scopeOf = ({ tenants }: Caller): string => (tenants === 'all' ? '*' : [...tenants].sort().join(' '));

export const noSuchAgent = (): FleetError => new FleetError('NOT_FOUND', 'no such agent: see "fleet ps"');

/**
 * NOT_FOUND in the same words whether there is no such agent or it is another tenant's. PERMISSION_DENIED to a peer that
 * sees the agent and was not granted this of it; nobody else is bounded by `verb`.
 */
export const visibleHostOf = (
  view: FleetView,
  caller: Caller,
  target: { hostAgent: string; key: string } | undefined,
  verb: GrantVerb,
): HostAgentRecord => {
  if (target === undefined) throw new FleetError('INVALID_ARGUMENT', 'the request names no agent');
  const record = view.hostAgent(target.hostAgent);
  const row = view.rowsOf(target.hostAgent).get(target.key);
  if (record === undefined || row === undefined) throw noSuchAgent();
  if (!isVisible(caller, record) || !isVisible(caller, row)) throw noSuchAgent();
  if (caller.grants === null || isGranted(caller.grants, verb, row)) return record;
  throw new FleetError('PERMISSION_DENIED', `cell ${record.cell} grants ${caller.cell} no ${verb} of this agent`);
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
