/**
 * Where everything of a launch lives: the files of one agent's next start, the records of its ended runs, and its unit.
 * Names are safe as file names (AGENT_NAME); nothing is made here.
 */
import { join } from 'node:path';
import { agentUnit } from '../../src/domain/unit-name.ts';
import type { Paths } from '../../src/runtime/paths.ts';

/** What the launcher needs of the places of this fleet. */
export interface LaunchGround extends Pick<Paths, 'state' | 'share' | 'mosaicHome' | 'tmuxTmpdir'> {
  home: string;
}

/** Folder that holds one folder for each launched agent; 0700. */
export const launchFolder = (ground: Pick<Paths, 'state'>): string => join(ground.state, 'launch');

/** Folder that holds one folder of ended runs for each agent; 0700. */
export const runsFolder = (ground: Pick<Paths, 'state'>): string => join(ground.state, 'runs');

/** In an agent's place, for the holder of a shared server; no agent's name begins with an underscore. */
export const HOLDER = '_holder';

export interface AgentLaunchPaths {
  folder: string;
  /** What the pane runs; 0600, since it holds the agent's environment. */
  launch: string;
  /** What the agent's tmux server reads at its start. */
  conf: string;
  /** What the scripts below need to know, as sh. */
  settings: string;
  /** Result of the last preflight, as JSON. */
  preflight: string;
  /** Digest of what it was made from, so that a launch that differs is told from one that does not. */
  digest: string;
  /** The unit's main process, its orderly end, and what follows any end. */
  server: string;
  stop: string;
  finish: string;
  /** Makes the session on a server that is there already (layout shared). */
  join: string;
  /** Ended runs; the flight recorder's. */
  runs: string;
}

export const agentLaunchPaths = (ground: Pick<Paths, 'state'>, agent: string): AgentLaunchPaths => {
  const folder = join(launchFolder(ground), agent);
  return {
    folder,
    launch: join(folder, 'launch.sh'),
    conf: join(folder, 'tmux.conf'),
    settings: join(folder, 'settings.sh'),
    preflight: join(folder, 'preflight'),
    digest: join(folder, 'digest'),
    server: join(folder, 'server.sh'),
    stop: join(folder, 'stop.sh'),
    finish: join(folder, 'finish.sh'),
    join: join(folder, 'join.sh'),
    runs: join(runsFolder(ground), agent),
  };
};

/** The installed launcher; stays the same over upgrades. */
export const launcherProgram = (ground: Pick<Paths, 'share'>): string =>
  join(ground.share, 'current', 'bin', 'fleet-launch');

export const unitsFolder = (home: string): string => join(home, '.config/systemd/user');

/** The file of an agent's own unit: of its full name, so that it outranks a template `mosaic-agent@.service`. */
export const unitFile = (home: string, agent: string): string => join(unitsFolder(home), agentUnit(agent));

/** Operator data: `agents/NAME.env`. */
export const envFile = (ground: Pick<Paths, 'mosaicHome'>, agent: string): string =>
  join(ground.mosaicHome, 'fleet', 'agents', `${agent}.env`);
