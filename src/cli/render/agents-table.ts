/** The table of `fleet ps`: grouped by host, one marker that works without colour, flags last and never cut. */
import type { HostAgentView } from '../../domain/agent-view.ts';
import { cleanText } from '../../domain/clean-text.ts';
import type { ListedAgent } from '../../domain/listed-agent.ts';
import type { HostGroup, Picture } from '../picture.ts';
import { behindWords } from './behind.ts';
import { coarse, fine } from './duration.ts';
import type { Painter, Style } from './paint.ts';
import { type Column, layTable } from './table.ts';

export interface AgentsTableOptions {
  width: number;
  wide: boolean;
  paint: Painter;
}

const INDENT = '  ';
/** Host indent, marker, space. */
const ROW_INDENT = 4;

/** Lines without line ends; the first is the header. Nothing to show is no lines. */
export const agentsTable = (picture: Picture, options: AgentsTableOptions): string[] => {
  const markers: string[] = [];
  const rows = function* (): Generator<ListedAgent> {
    for (const group of picture.groups) {
      for (const agent of group.listed()) {
        markers.push(options.paint(...markerOf(agent)));
        yield agent;
      }
    }
  };
  const table = layTable(COLUMNS, rows(), { ...options, indent: ROW_INDENT });
  const groups = picture.filtered ? picture.groups.filter(({ shown }) => shown > 0) : picture.groups;
  const lines = markers.length > 0 ? [table.header] : [];
  const isShared = new Set(picture.groups.map(({ host }) => host.tenant_id)).size > 1;
  let index = 0;
  for (const group of groups) {
    lines.push(INDENT + hostLine(group, isShared, options.paint));
    for (const end = index + group.shown; index < end; index += 1) {
      const row = table.line(index, group.host.current ? null : 'dim');
      lines.push(`${INDENT}${markers[index]} ${row}`.trimEnd());
    }
  }
  return lines;
};

export const isDead = (agent: ListedAgent): boolean => agent.readiness === 'dead';

const markerOf = (agent: ListedAgent): [Style | null, string] => {
  if (!agent.current) return ['dim', '~'];
  if (isDead(agent)) return ['bad', 'x'];
  return agent.attention === null ? [null, ' '] : ['attention', '!'];
};

/** What a state of a link is called, with its time and reason: `LOST 2m14s (silent)`. */
export const linkWords = (host: HostAgentView): string => {
  const { state, reason, age_seconds } = host.link;
  if (state === 'connected') return host.current ? 'connected' : `silent ${fine(host.observed_age_seconds)}`;
  const name = state === 'lost' ? 'LOST' : state;
  return `${name} ${fine(age_seconds)}${reason === null ? '' : ` (${reason.replaceAll('_', ' ')})`}`;
};

/** `isShared`: not all of what is shown is one tenant's. */
const hostLine = (group: HostGroup, isShared: boolean, paint: Painter): string => {
  const { host } = group;
  const words = [];
  if (group.isHere) words.push('this host');
  if (isShared) words.push(`tenant ${host.tenant_id}`);
  if (host.quarantined) words.push('QUARANTINED');
  if (!host.current) {
    const asLastSeen = group.shown > 0 ? '; rows as last seen' : '; no rows known';
    words.push(linkWords(host) + asLastSeen);
  } else if (group.shown === 0) words.push('no agents');
  if (host.behind !== null) words.push(`behind: ${behindWords(host.behind)}`);
  const text = cleanText([group.label, ...words].join('  '));
  return paint(host.current ? 'strong' : host.link.state === 'lost' ? 'bad' : 'attention', text);
};

const stateText = (agent: ListedAgent): string => {
  const tells = agent.readiness !== 'working' && agent.readiness !== 'available' && agent.reason !== null;
  const state = tells ? `${agent.readiness}: ${agent.reason}` : agent.readiness;
  return agent.current ? state : `was ${state}`;
};

const stateStyle = (agent: ListedAgent): Style | null => {
  if (agent.readiness === 'dead' || agent.readiness === 'stale') return 'bad';
  if (agent.attention !== null || agent.readiness === 'stuck') return 'attention';
  return agent.readiness === 'working' ? 'good' : null;
};

/** What runs in the pane; where that is not what the roster says, both. */
const runsText = (agent: ListedAgent): string | null => {
  const runs = agent.runtime_seen ?? agent.tmux?.command ?? null;
  if (runs === null) return null;
  return agent.flags.includes('DRIFT') && agent.runtime !== null ? `${runs} (not ${agent.runtime})` : runs;
};

const heartbeatText = (agent: ListedAgent): string | null => {
  const { state, age_seconds } = agent.heartbeat;
  if (state === 'invalid') return 'invalid';
  return age_seconds === null ? null : fine(age_seconds);
};

const BYTES_PER_MB = 1_000_000;
const spanOf = (seconds: number | null): string | null => (seconds === null ? null : coarse(seconds));
const megabytes = (bytes: number | null): string | null =>
  bytes === null ? null : `${Math.round(bytes / BYTES_PER_MB)}M`;
const numeral = (value: number | null | undefined): string | null => (value == null ? null : String(value));

const COLUMNS: readonly Column<ListedAgent>[] = [
  { title: 'AGENT', cell: (agent) => agent.agent, cut: { at: 'middle', least: 12 } },
  { title: 'RUNS', cell: runsText, min: 14, drop: 1, cut: { at: 'end', least: 14 } },
  { title: 'STATE', cell: stateText, style: stateStyle, min: 18, cut: { at: 'end', least: 18 } },
  { title: 'FOR', cell: (agent) => spanOf(agent.state_since_seconds), min: 3, drop: 2 },
  { title: 'HB', cell: heartbeatText, align: 'right', min: 5, gap: 1, drop: 3 },
  { title: 'IDLE', cell: (agent) => spanOf(agent.idle_seconds), align: 'right', min: 5, drop: 4 },
  { title: 'ROLE', cell: (agent) => agent.role, extra: true },
  { title: 'UP', cell: (agent) => spanOf(agent.uptime_seconds), align: 'right', extra: true },
  { title: 'RESTARTS', cell: (agent) => numeral(agent.unit?.restarts), align: 'right', extra: true },
  { title: 'RSS', cell: (agent) => megabytes(agent.rss_bytes), align: 'right', extra: true },
  { title: 'CWD', cell: (agent) => agent.tmux?.cwd ?? null, extra: true },
  { title: 'USER', cell: (agent) => agent.user, extra: true },
  { title: 'FLAGS', cell: (agent) => (agent.flags.length === 0 ? null : agent.flags.join(' ')) },
];
