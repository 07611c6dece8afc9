/**
 * What else would end with an agent's unit: units that systemd stops along with it, and sessions whose tmux server was
 * born in it (one outage of every fleet).
 */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { UnitNow } from '../../src/domain/unit-now.ts';
import type { LifecyclePorts } from './ports.ts';

export interface Casualties {
  sessions: string[];
  units: string[];
}

/** A chain of units longer than this is no fleet. */
const MAX_UNITS = 500;
const SHOWN = 5;

export const casualtiesOf = async (ports: LifecyclePorts, row: AgentRow, unit: UnitNow): Promise<Casualties> => {
  const along = await stoppedAlong(ports, unit);
  const sessions = [unit, ...along].flatMap((each) => sessionsIn(ports, row, each));
  for (const { name } of along) {
    const agent = ports.rows.all().find((each) => each.managed && ports.unitOf(each.agent) === name);
    if (agent?.tmux) sessions.push(agent.tmux.session);
  }
  return { sessions: [...new Set(sessions)], units: along.map(({ name }) => name) };
};

/** null: it goes alone. At most `shown` of each are named. */
export const casualtyWords = ({ sessions, units }: Casualties, shown = SHOWN): string | null => {
  const parts = [
    ...(sessions.length === 0 ? [] : [counted(sessions, 'other session', shown)]),
    ...(units.length === 0 ? [] : [counted(units, 'other unit', shown)]),
  ];
  return parts.length === 0 ? null : parts.join(' and ');
};

const counted = (names: readonly string[], what: string, shown: number): string => {
  const more = names.length > shown ? ` and ${names.length - shown} more` : '';
  return `${names.length} ${what}${names.length === 1 ? '' : 's'} (${names.slice(0, shown).join(', ')}${more})`;
};

/** Transitively, those that run. */
export const stoppedAlong = async (ports: LifecyclePorts, unit: UnitNow): Promise<UnitNow[]> => {
  const seen = new Set([unit.name]);
  const along: UnitNow[] = [];
  const queue = [...unit.stopsAlong];
  for (let name = queue.shift(); name !== undefined && seen.size < MAX_UNITS; name = queue.shift()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const next = await ports.units.read(name);
    if (next.activeState === 'inactive' || next.activeState === 'failed') continue;
    along.push(next);
    queue.push(...next.stopsAlong);
  }
  return along;
};

/** Of every tmux server that runs inside the unit, the sessions that are not this agent's own. */
const sessionsIn = (ports: LifecyclePorts, row: AgentRow, unit: UnitNow): string[] =>
  ports.servers().flatMap(({ pid, socket, sessions }) => {
    const isMain = pid !== null && unit.mainPid === pid;
    const isInside = pid !== null && unit.killsGroup && unit.processes.includes(pid);
    if (!isMain && !isInside) return [];
    const own = socket === row.tmux?.socket ? [row.tmux.session, ...row.tmux.groupMembers] : [];
    return sessions.map(({ name }) => name).filter((name) => !own.includes(name));
  });
