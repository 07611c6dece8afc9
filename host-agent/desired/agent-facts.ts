/**
 * One agent as it is found on this host: its unit, whose file that is, its session, its env file, what its last launch
 * was made from. Comes in: its entry of the roster. Changes nothing.
 */
import { lstat, readFile, stat } from 'node:fs/promises';
import type { AgentRow } from '../../src/domain/agent-row.ts';
import { HOLDER_UNIT } from '../../src/domain/holder.ts';
import { type RosterAgent, rosterKey, sessionNameOf } from '../../src/domain/roster.ts';
import { agentUnit } from '../../src/domain/unit-name.ts';
import type { UnitNow } from '../../src/domain/unit-now.ts';
import { parseEnvFile } from '../../src/roster/env-file.ts';
import { isSocketName, socketNameOf } from '../../src/roster/socket-name.ts';
import { readFileText } from '../../src/runtime/read-file.ts';
import { isOurUnitText } from '../launch/agent-unit.ts';
import { dropInsOf } from '../launch/drop-ins.ts';
import { envFile, unitFile } from '../launch/launch-paths.ts';
import { livingPane } from '../lifecycle/prove-start.ts';
import type { DesiredPorts, UnitFileNow, Wanted } from './ports.ts';

/** The file of the unit's full name in the user's own folder. isolated, shared: fleet wrote it for that layout. */
export interface OwnUnitFile {
  kind: 'none' | 'isolated' | 'shared' | 'theirs';
  text: string | null;
  /** Wall clock; 0 where there is none. */
  changedMs: number;
}

export interface AgentFacts extends Wanted, UnitFacts {
  own: OwnUnitFile;
  hasEnvFile: boolean;
  /** What its env file says, which outranks the roster; undefined: nothing. null is tmux's default socket. */
  envSocket: string | null | undefined;
  /** unit: by its unit. outside: beside it. elsewhere: where its layout of before had it. */
  session: 'none' | 'unit' | 'outside' | 'elsewhere';
  writer: string | null;
  isLingering: boolean;
  /** Paths of drop-ins that systemd adds to its unit, whoever wrote that. */
  dropIns: readonly string[];
  /** same, other: than what a launch would bake now. unknown: nobody kept what it was launched with. */
  launch: 'never' | 'same' | 'other' | 'unknown';
}

const MAX_BYTES = 64 * 1024;
export const TEMPLATE = agentUnit('');

/** What systemd says that bears on one agent. */
export interface UnitFacts {
  unit: Pick<UnitNow, 'name' | 'loadState' | 'activeState'>;
  file: UnitFileNow;
  /** Somebody's template of which the unit would be an instance if it had no file of its own. */
  hasTemplate: boolean;
  holder: { loadState: string; state: string | null };
}

/** Asked of systemd at this moment. */
export const agentFacts = async (ports: DesiredPorts, wanted: Wanted): Promise<AgentFacts> => {
  const { lifecycle, unitFiles } = ports;
  const name = lifecycle.unitOf(wanted.agent.name);
  const [unit, file, template, holder, holderState] = await Promise.all([
    lifecycle.units.read(name),
    unitFiles.read(name),
    unitFiles.state(TEMPLATE),
    lifecycle.units.read(HOLDER_UNIT),
    unitFiles.state(HOLDER_UNIT),
  ]);
  const units = { unit, file, hasTemplate: template !== null, holder: { ...holder, state: holderState } };
  return await factsWith(ports, wanted, units);
};

/** The same where what systemd says is known already. */
export const factsWith = async (ports: DesiredPorts, wanted: Wanted, units: UnitFacts): Promise<AgentFacts> => {
  const { lifecycle, ground, launches } = ports;
  const { agent } = wanted;
  const envPath = envFile(ground, agent.name);
  const [own, env, then, now, dropIns] = await Promise.all([
    ownUnitFile(unitFile(ground.home, agent.name)),
    readFileText(envPath, { maxBytes: MAX_BYTES, followLinks: true }),
    launches.digestThen(agent.name),
    launches.digestNow(agent),
    dropInsOf(ground.home, agent.name),
  ]);
  const said = env.kind === 'text' ? parseEnvFile(env.text, envPath).values.get('MOSAIC_TMUX_SOCKET') : undefined;
  const isOurs = own.kind === 'isolated' || own.kind === 'shared';
  return {
    ...wanted,
    ...units,
    own,
    hasEnvFile: env.kind !== 'missing',
    envSocket: said === undefined || !isSocketName(said) ? undefined : socketNameOf(said),
    session: sessionOf(ports, { ...wanted, ...units, own }),
    writer: lifecycle.rows.row(rosterKey(agent.name))?.writer ?? null,
    dropIns,
    isLingering: ports.linger.isOn(),
    launch: then === null ? (isOurs ? 'never' : 'unknown') : then === now ? 'same' : 'other',
  };
};

const sessionOf = (
  ports: DesiredPorts,
  { agent, roster, unit, own }: Pick<AgentFacts, 'agent' | 'roster' | 'unit' | 'own'>,
): AgentFacts['session'] => {
  const { lifecycle } = ports;
  const row = lifecycle.rows.row(rosterKey(agent.name));
  const isAlive = row !== undefined && livingPane(lifecycle, row) !== null;
  const isUp = ['active', 'activating', 'reloading'].includes(unit.activeState);
  const isMoved = agent.layout === 'isolated' ? own.kind !== 'isolated' : own.kind === 'isolated';
  if (isMoved && (isUp || isAlive || strayOf(ports, agent, roster.socketName) !== null)) return 'elsewhere';
  return isAlive ? (isUp ? 'unit' : 'outside') : 'none';
};

/** A session of its name on the tmux server of the shared layout, when its entry has left that layout; null: none. */
export const strayOf = (
  { lifecycle, socketPath }: DesiredPorts,
  { name, layout }: RosterAgent,
  sharedSocket: string | null,
): AgentRow | null => {
  if (layout === 'shared') return null;
  const hasHolder = (socket: string): boolean =>
    lifecycle
      .servers()
      .some((server) => server.socket === socket && server.sessions.some((each) => lifecycle.isHolder(each.name)));
  const isTheirs = ({ managed, tmux }: AgentRow): boolean =>
    !managed &&
    tmux?.session === sessionNameOf(name) &&
    (tmux.socket === socketPath(sharedSocket) || hasHolder(tmux.socket));
  return lifecycle.rows.all().find(isTheirs) ?? null;
};

/** A link is somebody's own doing, wherever it leads. */
export const ownUnitFile = async (path: string): Promise<OwnUnitFile> => {
  const found = await lstat(path).catch(() => null);
  if (found === null) return { kind: 'none', text: null, changedMs: 0 };
  const { mtimeMs } = await stat(path).catch(() => found);
  const text = found.isFile() ? await readFile(path, 'utf8').catch(() => null) : null;
  if (text === null || !isOurUnitText(text)) return { kind: 'theirs', text, changedMs: mtimeMs };
  return { kind: /^Type=oneshot$/m.test(text) ? 'shared' : 'isolated', text, changedMs: mtimeMs };
};
