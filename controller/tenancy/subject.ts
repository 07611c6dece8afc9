/** What a call is about, for the audit: taken from the request before it is checked, and never a text of it. */
import { FleetError } from '../../src/domain/errors.ts';
import { rosterNameOf } from '../../src/domain/roster.ts';
import type { FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import { decodeAgentRow } from '../../src/wire/agent-row.ts';
import { addressOf, isFederated } from './visible.ts';

export interface Subject {
  /** For people: an address, an id. */
  target: string;
  /** host/user, and the agent's name, where they are known; whose they are. */
  hostAgent?: string;
  agent?: string;
  tenantId?: string;
  /** HMAC of what was to be typed. */
  body?: string;
  /** Of an order, if it is an id. */
  order?: string;
  /** false: a stream that ends by itself, so that its end alone is worth a record. */
  lasts?: boolean;
  /** Why it is refused, as far as that is plain before anything is done: then nothing is announced. */
  refusal?: FleetError;
}

/** What `check` objects to, with a FleetError. */
export const refusedBy = (check: () => unknown): Pick<Subject, 'refusal'> => {
  try {
    check();
    return {};
  } catch (error) {
    if (error instanceof FleetError) return { refusal: error };
    throw error;
  }
};

/** An agent's, by host-agent and key. */
export const agentSubject = (
  view: FleetView,
  target: { hostAgent: string; key: string } | undefined,
  more: Pick<Subject, 'body' | 'order' | 'lasts' | 'refusal'> = {},
): Subject => {
  const record = view.hostAgent(target?.hostAgent ?? '');
  const row = view.rowsOf(target?.hostAgent ?? '').get(target?.key ?? '');
  // One that a roster was just given may have no row yet.
  const agent = row === undefined ? rosterNameOf(target?.key ?? '') : decodeAgentRow(row.row).agent;
  return {
    target: addressOf(view, target),
    ...(record === undefined ? {} : { hostAgent: record.id, tenantId: ownerNameOf(record) }),
    ...(agent === null ? {} : { agent }),
    ...more,
  };
};

/** A whole host-agent's. */
export const hostSubject = (view: FleetView, id: string, target = id.slice(0, MAX_TARGET)): Subject => {
  const record = view.hostAgent(id);
  return { target, ...(record === undefined ? {} : { hostAgent: record.id, tenantId: ownerNameOf(record) }) };
};

/** A peer's tenant is named with its cell: it is none of ours, whatever it is called. */
const ownerNameOf = (record: HostAgentRecord): string =>
  isFederated(record) ? `${record.cell}/${record.tenantId}` : record.tenantId;

const MAX_TARGET = 256;
