/**
 * Where agents write their heartbeats, for reader and writer alike: `<mosaicHome>/fleet/run`, unless an agent's
 * own environment names another folder. Then only that folder counts for that agent.
 */
import { isAbsolute, join, normalize } from 'node:path';

export interface HeartbeatFolders {
  shared: string;
  /** Agents whose environment says otherwise. */
  byAgent: ReadonlyMap<string, string>;
}

/** A leading `~`, `$HOME` or `${HOME}` is the home folder; what is then still relative is below it. */
const expand = (path: string, home: string): string => {
  const expanded = path.replace(/^(?:~|\$HOME|\$\{HOME\})(?=\/|$)/, home);
  return normalize(isAbsolute(expanded) ? expanded : join(home, expanded)).replace(/(.)\/$/, '$1');
};

/** `env`: the values of each agent's env file (RosterReading.env). */
export const heartbeatFolders = (
  mosaicHome: string,
  home: string,
  env: ReadonlyMap<string, ReadonlyMap<string, string>>,
): HeartbeatFolders => {
  const shared = join(mosaicHome, 'fleet', 'run');
  const byAgent = new Map<string, string>();
  for (const [agent, values] of env) {
    const named = values.get('MOSAIC_HEARTBEAT_RUN_DIR');
    const otherHome = values.get('MOSAIC_HOME');
    const folder = named ? expand(named, home) : otherHome ? join(expand(otherHome, home), 'fleet', 'run') : shared;
    if (folder !== shared) byAgent.set(agent, folder);
  }
  return { shared, byAgent };
};
