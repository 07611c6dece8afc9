/**
 * What an agent is at its start. Comes in: its roster entry, its env file, which outranks the entry, and its secrets. Goes
 * out: one answer for every field, its command, and all of its environment. Nothing is run, and nothing is guessed.
 */
import { join } from 'node:path';
import { belongsHere } from '../../src/domain/placement.ts';
import { AGENT_NAME, type Roster, type RosterAgent, sessionNameOf } from '../../src/domain/roster.ts';
import { isSocketName, socketNameOf } from '../../src/roster/socket-name.ts';
import { homePath } from '../../src/runtime/home-path.ts';
import { shellWord } from '../../src/runtime/quote.ts';
import { FLEET_VERSION } from '../../src/runtime/version.ts';
import { heartbeatFolders } from '../heartbeat/folders.ts';
import type { LaunchGround } from './launch-paths.ts';
import { choiceOf, joinModel, runtimeLaunch } from './runtimes.ts';
import { findProgram, searchPath } from './search-path.ts';

/** MOSAIC.md: MOSAIC_AGENT_RUNTIME. */
const DEFAULT_RUNTIME = 'pi';
const DEFAULT_INTERVAL_SECONDS = 15;

export interface ResolvedAgent {
  name: string;
  session: string;
  /** null: tmux's default socket. */
  socket: string | null;
  layout: RosterAgent['layout'];
  runtime: string | null;
  workdir: string;
  /** The working directory that holds where nobody names one: it is made where it is missing. */
  isDefaultWorkdir: boolean;
  /** For sh. */
  command: string;
  /** Programs that must be found for the command to run, where that can be told. */
  programs: string[];
  /** Flags for the end of the command, where its program takes them. */
  flagsIfTaken: readonly string[];
  /** Somebody wrote the command; it is not the usual launch of the runtime. */
  isOwnCommand: boolean;
  path: string;
  /** Everything that its process gets besides PATH, in order. */
  environment: Map<string, string>;
  heartbeatFolder: string;
  heartbeatSeconds: number;
}

export interface LaunchEnvironment {
  /** `agents/NAME.env`. */
  file: ReadonlyMap<string, string>;
  /** The roster's `env_file`. */
  secrets: ReadonlyMap<string, string>;
  /** Of the launcher itself, which systemd starts. */
  own: NodeJS.ProcessEnv;
}

/** By what names a roster may mean this user of this machine. */
export interface LaunchHere {
  /** null: it is in no cell, or in none any more. */
  enrolledAs: string | null;
  machine: string;
  user: string;
}

/** The roster's entry for this host and user; null where it has none. */
export const rosterAgent = (
  roster: Roster,
  name: string,
  { enrolledAs, machine, user }: LaunchHere,
): RosterAgent | null => {
  const named = roster.agents.filter(
    (agent) => agent.name === name && AGENT_NAME.test(name) && (agent.user === null || agent.user === user),
  );
  const here = named.find((agent) => belongsHere(agent, { hostNames: [machine, enrolledAs ?? machine], user }));
  // A name that it was enrolled by, and nobody knows any more: whoever wrote the unit knew it.
  return here ?? (enrolledAs === null && named.length === 1 ? named[0]! : null);
};

export const resolveAgent = (
  agent: RosterAgent,
  { file, secrets, own }: LaunchEnvironment,
  ground: LaunchGround,
): ResolvedAgent => {
  const { home } = ground;
  const said = (variable: string): string | null => file.get(variable) || agent.env.get(variable) || null;
  const runtime = said('MOSAIC_AGENT_RUNTIME') ?? agent.runtime;
  const model = said('MOSAIC_AGENT_MODEL') ?? agent.model;
  const role = said('MOSAIC_AGENT_CLASS') ?? agent.role;
  const workdir = homePath(said('MOSAIC_AGENT_WORKDIR') ?? agent.workingDirectory ?? '~', home);
  const path = searchPath({
    home,
    runtimeBin: said('MOSAIC_RUNTIME_BIN'),
    basePath: said('PATH') ?? own.PATH ?? null,
    npmPrefix: said('NPM_CONFIG_PREFIX') ?? own.NPM_CONFIG_PREFIX ?? null,
  });
  const written = said('MOSAIC_AGENT_COMMAND') ?? agent.command;
  const choice = { model, effort: agent.effort };
  const usual = usualCommand(runtime ?? DEFAULT_RUNTIME, choice, { path, home, mosaicHome: ground.mosaicHome });
  const socketSaid = file.get('MOSAIC_TMUX_SOCKET');
  const socket = socketSaid !== undefined && isSocketName(socketSaid) ? socketNameOf(socketSaid) : agent.socketName;
  const heartbeat = new Map([...agent.env, ...file]);
  const { shared, byAgent } = heartbeatFolders(ground.mosaicHome, home, new Map([[agent.name, heartbeat]]));
  const heartbeatFolder = byAgent.get(agent.name) ?? shared;
  const heartbeatSeconds = positive(said('MOSAIC_HEARTBEAT_INTERVAL'), DEFAULT_INTERVAL_SECONDS);
  const identity: [string, string | null][] = [
    ['MOSAIC_AGENT_NAME', agent.name],
    ['MOSAIC_AGENT_CLASS', role],
    ['MOSAIC_AGENT_RUNTIME', runtime],
    ['MOSAIC_AGENT_MODEL', model],
    ['MOSAIC_AGENT_EFFORT', agent.effort],
    ['MOSAIC_AGENT_WORKDIR', workdir],
    ['MOSAIC_TMUX_SOCKET', socket ?? ''],
    ['MOSAIC_HOME', ground.mosaicHome === join(home, '.config/mosaic') ? null : ground.mosaicHome],
    ['MOSAIC_HEARTBEAT_RUN_DIR', heartbeatFolder],
    ['MOSAIC_HEARTBEAT_INTERVAL', String(heartbeatSeconds)],
    ['MOSAIC_FLEET_LAUNCHER', FLEET_VERSION],
  ];
  const environment = new Map([...agent.env, ...secrets, ...file]);
  environment.delete('PATH');
  for (const [variable, value] of identity) if (value !== null) environment.set(variable, value);
  return {
    name: agent.name,
    session: sessionNameOf(agent.name),
    socket,
    layout: agent.layout,
    runtime,
    workdir,
    isDefaultWorkdir: workdir === join(home, 'src'),
    command: written ?? usual.map(shellWord).join(' '),
    programs: written === null ? programsOf(usual) : [],
    flagsIfTaken: written === null && usual[0] !== 'mosaic' ? runtimeLaunch(usual[0]!).flagsIfTaken : [],
    isOwnCommand: written !== null,
    path,
    environment,
    heartbeatFolder,
    heartbeatSeconds,
  };
};

/** `mosaic yolo RUNTIME` where there is a mosaic; else the runtime itself, told its model in its own way. */
const usualCommand = (
  runtime: string,
  said: { model: string | null; effort: string | null },
  { path, home, mosaicHome }: { path: string; home: string; mosaicHome: string },
): string[] => {
  const launch = runtimeLaunch(runtime);
  const choice = choiceOf(launch, said);
  if (!launch.byMosaic || findProgram('mosaic', path, home) === null) return launch.words(choice, mosaicHome);
  const model = joinModel(choice);
  return ['mosaic', 'yolo', runtime, ...(model === null ? [] : ['--model', model])];
};

const programsOf = ([first, , third]: readonly string[]): string[] => (first === 'mosaic' ? [first, third!] : [first!]);

/** Whole seconds, since sh counts in those. */
const positive = (seconds: string | null, fallback: number): number => {
  const value = Number(seconds);
  return seconds !== null && Number.isFinite(value) && value > 0 ? Math.ceil(value) : fallback;
};
