/** Records of the audit, and orders of a host, as rows and as objects. Pure; tables and JSON make them safe. */
import type { AuditRecord } from '../../wire/gen/fleet/v1/audit.ts';
import type { OrderOutcome } from '../../wire/gen/fleet/v1/orders.ts';
import { isoTime } from '../render/iso-time.ts';
import type { Column } from '../render/table.ts';
import { dash, localTime } from './running-table.ts';

export const AUDIT_SCHEMA = 'fleet.audit/v1';

/** `/fleet.v1.FleetService/SendText` as people call it. */
const verbOf = ({ verb }: AuditRecord): string => verb.slice(verb.lastIndexOf('/') + 1);

/** `spiffe://home/host/dragon-lin/user/jwoltje` without what all of them share. */
const whoOf = ({ actor, onBehalfOf }: AuditRecord): string => {
  const who = actor.replace(/^spiffe:\/\/[^/]+\//, '');
  return onBehalfOf === '' ? who : `${who} for ${onBehalfOf}`;
};

const tookOf = ({ latencyMs }: AuditRecord): string | null =>
  latencyMs === undefined
    ? null
    : latencyMs < 10_000
      ? `${Math.round(latencyMs)}ms`
      : `${Math.round(latencyMs / 1_000)}s`;

export const AUDIT_COLUMNS: readonly Column<AuditRecord>[] = [
  { title: 'TIME', cell: ({ atMs }) => localTime(atMs), min: 19 },
  { title: 'WHO', cell: whoOf, min: 28 },
  { title: 'VERB', cell: verbOf, min: 13 },
  { title: 'OUTCOME', cell: ({ outcome }) => outcome, min: 7, style: (record) => styleOf(record) },
  { title: 'TOOK', cell: (record) => tookOf(record) ?? '-', align: 'right', min: 6 },
  { title: 'BYTES', cell: ({ bytes }) => (bytes === undefined ? '-' : String(bytes)), align: 'right', min: 7 },
  { title: 'WHAT', cell: (record) => dash([record.target, record.reason].filter((part) => part !== '').join(': ')) },
];

const styleOf = ({ outcome }: AuditRecord) =>
  outcome === 'denied' || outcome === 'dropped' ? 'attention' : outcome === 'failed' ? 'bad' : null;

export const auditObject = (record: AuditRecord): object => ({
  sequence: Number(record.sequence),
  at: isoTime(record.atMs),
  cell: record.cell,
  actor: record.actor,
  on_behalf_of: record.onBehalfOf || null,
  tenant_id: record.tenantId || null,
  host_agent: record.hostAgent || null,
  agent: record.agent || null,
  verb: verbOf(record),
  rpc: record.verb,
  target: record.target,
  outcome: record.outcome,
  reason: record.reason || null,
  call: record.call || null,
  order: record.order || null,
  latency_ms: record.latencyMs ?? null,
  bytes: record.bytes ?? null,
  body_hmac: record.body || null,
  previous: record.previous,
  hash: record.hash,
});

export const ORDER_COLUMNS: readonly Column<OrderOutcome>[] = [
  { title: 'TIME', cell: ({ beganMs }) => localTime(beganMs) },
  { title: 'VERB', cell: ({ verb }) => dash(verb) },
  { title: 'AGENT', cell: ({ address }) => dash(address) },
  { title: 'WHO', cell: ({ actor }) => actor },
  { title: 'OUTCOME', cell: ({ outcome }) => outcome },
  { title: 'TOOK', cell: ({ beganMs, endedMs }) => (endedMs === 0 ? null : `${endedMs - beganMs}ms`), align: 'right' },
  { title: 'ORDER', cell: ({ id }) => id },
  { title: 'WHY', cell: ({ reason }) => (reason === '' ? null : reason) },
];

export const orderRecordObject = (order: OrderOutcome): object => ({
  id: order.id,
  at: isoTime(order.beganMs),
  verb: order.verb,
  address: order.address,
  actor: order.actor,
  outcome: order.outcome,
  reason: order.reason || null,
  ended: order.endedMs === 0 ? null : isoTime(order.endedMs),
});
