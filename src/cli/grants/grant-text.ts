/** Grants as rows, lines and objects. Pure; tables and JSON make them safe. */
import type { Grant } from '../../wire/gen/fleet/v1/grants.ts';
import { fine } from '../render/duration.ts';
import { isoTime } from '../render/iso-time.ts';
import { plain } from '../render/paint.ts';
import { type Column, layTable } from '../render/table.ts';

export const GRANT_SCHEMA = 'fleet.grants/v1';

const listed = (words: readonly string[]): string => words.join(',');

const span = (ms: number): string => fine(Math.max(0, Math.floor(ms / 1_000)));

const endOf = ({ status, expiresMs, revokedMs }: Grant, nowMs: number): string => {
  if (status === 'revoked') return revokedMs === undefined ? '-' : `${span(nowMs - revokedMs)} ago`;
  if (expiresMs === undefined) return 'never';
  return status === 'expired' ? `${span(nowMs - expiresMs)} ago` : `in ${span(expiresMs - nowMs)}`;
};

const columns = (nowMs: number): readonly Column<Grant>[] => [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'PEER', cell: ({ peer }) => peer },
  { title: 'STATUS', cell: ({ status }) => status },
  { title: 'ENDS', cell: (grant) => endOf(grant, nowMs) },
  { title: 'VERBS', cell: ({ verbs }) => listed(verbs) },
  { title: 'TENANTS', cell: ({ tenants }) => listed(tenants) },
  { title: 'HOSTS', cell: ({ hosts }) => listed(hosts) },
  { title: 'ROWS', cell: ({ rowLimit }) => String(rowLimit), align: 'right' },
  { title: 'AGENTS', cell: ({ agents }) => listed(agents) },
];

export const grantLines = (grants: readonly Grant[], nowMs: number): string[] => {
  const table = layTable(columns(nowMs), grants, { width: Infinity, wide: true, indent: 0, paint: plain });
  return [table.header.trimEnd(), ...grants.map((_, index) => table.line(index, null).trimEnd())];
};

/** The agents that it shows, one a line. */
export const coveredLines = ({ rows, rowLimit }: Grant): { addresses: string[]; footer: string } => {
  const addresses = rows?.addresses ?? [];
  const withheld = rows?.withheld ?? 0;
  const shown = `${addresses.length} agent${addresses.length === 1 ? '' : 's'}`;
  return {
    addresses,
    footer: withheld === 0 ? shown : `${shown}; ${withheld} more are beyond its ${rowLimit} rows and not shown`,
  };
};

export const grantObject = ({ rows, expiresMs, revokedMs, ...grant }: Grant): object => ({
  id: grant.id || null,
  peer: grant.peer,
  status: grant.status,
  tenants: grant.tenants,
  hosts: grant.hosts,
  agents: grant.agents,
  verbs: grant.verbs,
  row_limit: grant.rowLimit,
  expires: expiresMs === undefined ? null : isoTime(expiresMs),
  created: isoTime(grant.createdMs),
  created_by: grant.createdBy,
  revoked: revokedMs === undefined ? null : isoTime(revokedMs),
  ...(rows === undefined ? {} : { shows: rows.addresses, withheld: rows.withheld }),
});
