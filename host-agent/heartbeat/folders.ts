/**
 * Where agents write their heartbeats, for reader and writer alike: `<mosaicHome>/fleet/run`, unless an agent's
 * own environment names another folder. Then only that folder counts for that agent.
 */
import { join } from 'node:path';
import { homePath } from '../../src/runtime/home-path.ts';

export interface HeartbeatFolders {
  shared: string;
  /** Agents whose environment says otherwise. */
  byAgent: ReadonlyMap<string, string>;
}

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
    const folder = named ? homePath(named, home) : otherHome ? join(homePath(otherHome, home), 'fleet', 'run') : shared;
    if (folder !== shared) byAgent.set(agent, folder);
  }
  return { shared, byAgent };
};
