/** The table of `fleet hosts`: one line for each host-agent. Numbers of a host that does not answer carry a `?`. */

import type { HostGroup, Picture } from '../picture.ts';
import { behindInFull } from './behind.ts';
import { coarse, fine, signed } from './duration.ts';
import type { Painter, Style } from './paint.ts';
import { type Column, layTable } from './table.ts';

const INDENT = '  ';

export const hostsTable = (picture: Picture, options: { width: number; wide: boolean; paint: Painter }): string[] => {
  const { groups } = picture;
  if (groups.length === 0) return [];
  const table = layTable(columnsFor(groups), groups, { ...options, indent: INDENT.length });
  const lines = groups.map((_, index) => INDENT + table.line(index, null));
  return [table.header, ...lines].map((line) => line.trimEnd());
};

const linkName = ({ host }: HostGroup): string => {
  if (host.link.state === 'lost') return 'LOST';
  return host.link.state === 'connected' && !host.current ? 'silent' : host.link.state;
};

const linkStyle = ({ host }: HostGroup): Style | null => {
  if (host.current) return 'good';
  return host.link.state === 'lost' ? 'bad' : 'attention';
};

const asOfThen = (value: number | null, host: { current: boolean }): string | null =>
  value === null ? null : `${value}${host.current ? '' : '?'}`;

const certificate = (seconds: number | null): string | null => {
  if (seconds === null) return null;
  return seconds < 0 ? 'expired' : coarse(seconds);
};

const warnings = ({ host }: HostGroup): string | null => {
  const reason = host.link.reason?.replaceAll('_', ' ');
  const behind = host.behind && behindInFull(host.behind);
  const all = [host.quarantined && 'in quarantine', reason, behind, ...host.warnings].filter((words) => words);
  return all.length === 0 ? null : all.join(', ');
};

/** A machine is named once, above all of its users; whose each is, where that is not one tenant's. */
const columnsFor = (groups: readonly HostGroup[]): Column<HostGroup>[] => {
  const firsts = new Set(
    [...Map.groupBy(groups, ({ host }) => `${host.cell}\n${host.host}`).values()].map(([first]) => first),
  );
  const tenants = new Set(groups.map(({ host }) => host.tenant_id));
  const name = ({ host }: HostGroup): string => (host.here ? `${host.host} *` : host.host);
  return [
    { title: 'CELL', cell: ({ origin }) => origin },
    {
      title: 'HOST',
      cell: (group) => (firsts.has(group) ? name(group) : ''),
      cut: { at: 'middle', least: 10 },
    },
    ...COLUMNS.map((column) => (column === TENANT && tenants.size > 1 ? { ...TENANT, extra: false, drop: 6 } : column)),
  ];
};

const TENANT: Column<HostGroup> = { title: 'TENANT', cell: ({ host }) => host.tenant_id, extra: true };

const COLUMNS: readonly Column<HostGroup>[] = [
  { title: 'USER', cell: ({ host }) => host.user },
  TENANT,
  { title: 'LINK', cell: linkName, style: linkStyle },
  {
    title: 'HEARD',
    // Of a host that was never heard nothing is known; a peer tells little of its own, and how many agents.
    cell: ({ host }) => (host.agents === null ? null : fine(host.observed_age_seconds)),
    align: 'right',
  },
  { title: 'AGENTS', cell: ({ host }) => asOfThen(host.agents, host), align: 'right' },
  {
    title: 'NEED',
    cell: ({ host }) => asOfThen(host.needs, host),
    style: ({ host }) => (host.needs ? 'attention' : null),
    align: 'right',
  },
  { title: 'VERSION', cell: ({ host }) => host.version, drop: 3 },
  { title: 'VIA', cell: ({ host }) => host.via, drop: 4 },
  {
    title: 'CONTROL',
    cell: ({ host }) => (host.quarantined ? 'quarantined' : host.control),
    style: ({ host }) => (host.quarantined ? 'bad' : null),
    drop: 5,
  },
  { title: 'CERT', cell: ({ host }) => certificate(host.certificate_expires_in_seconds), align: 'right', drop: 2 },
  {
    title: 'SKEW',
    cell: ({ host }) => (host.clock_skew_seconds === null ? null : signed(host.clock_skew_seconds)),
    align: 'right',
    drop: 1,
  },
  { title: 'BUILD', cell: ({ host }) => host.build, extra: true },
  { title: 'FOR', cell: ({ host }) => fine(host.link.age_seconds), extra: true },
  { title: 'WARN', cell: warnings },
];
