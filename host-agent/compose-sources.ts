/**
 * The wiring of what is read on this machine: each source, and the inventory that joins them into rows of the view.
 * Nothing is decided here.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { agentUnit } from '../src/domain/unit-name.ts';
import type { Composition } from '../src/runtime/composition.ts';
import { FLEET_VERSION } from '../src/runtime/version.ts';
import type { FleetView } from '../src/view/fleet-view.ts';
import type { HostAgentConfig } from './config.ts';
import { heartbeatFolders } from './heartbeat/folders.ts';
import { HeartbeatSource } from './heartbeat/source.ts';
import { Inventory, type InventoryOptions } from './inventory/inventory.ts';
import type { Source, SystemdReading } from './inventory/source.ts';
import { LaunchSource } from './launch/launch-source.ts';
import { ProcTable } from './process/proc-table.ts';
import { RosterSource } from './roster/source.ts';
import { noSystemd } from './systemd/no-systemd.ts';
import { SystemdSource } from './systemd/source.ts';
import { TmuxSource } from './tmux/tmux-source.ts';

const TMUX_STOP_MS = 3_500;

export interface SourceParts extends Composition, Pick<InventoryOptions, 'view' | 'names'> {
  config: HostAgentConfig;
  view: FleetView;
}

/** Read once the inventory starts. Disposed of when one source follows another no more. */
export interface Sources extends Disposable {
  tmux: TmuxSource;
  systemd: Source<SystemdReading>;
  roster: RosterSource;
  inventory: Inventory;
  /** Where the heartbeats of an agent with that environment are. */
  beatsFolder(agent: string, env: ReadonlyMap<string, ReadonlyMap<string, string>>): string;
  /** Path of a tmux socket by its name; null is the default one. */
  socketPath(name: string | null): string;
}

export const composeSources = ({ config, view, names, clock, part, shutdown }: SourceParts): Sources => {
  const { paths, uid, user } = config;
  const roster = new RosterSource({ mosaicHome: paths.mosaicHome });
  const heartbeats = new HeartbeatSource({
    folders: () => heartbeatFolders(paths.mosaicHome, homedir(), roster.current().env),
  });
  const systemd = paths.isolated ? noSystemd('an instance watches no units') : new SystemdSource({ uid, user });
  const tmux = new TmuxSource({
    tmuxTmpdir: paths.tmuxTmpdir,
    isolated: paths.isolated,
    uid,
    clock,
    log: part('tmux'),
  });
  shutdown.add('tmux', () => tmux.stopped(), TMUX_STOP_MS);
  const launches = new LaunchSource({ ground: paths });
  const socketPath = (socket: string | null) => join(paths.tmuxTmpdir, `tmux-${uid}`, socket ?? 'default');
  const inventory = new Inventory({
    sources: { tmux, systemd, heartbeats, roster, launches, processes: new ProcTable() },
    view,
    clock,
    names,
    socketPath,
    launcherInstalled: FLEET_VERSION,
  });
  const following = roster.onChange(() => {
    void heartbeats.refresh();
    if (!(systemd instanceof SystemdSource)) return;
    systemd.setWanted((roster.current().roster?.agents ?? []).map((agent) => agentUnit(agent.name)));
  });
  return {
    tmux,
    systemd,
    roster,
    inventory,
    beatsFolder: (agent, env) => {
      const { shared, byAgent } = heartbeatFolders(paths.mosaicHome, homedir(), env);
      return byAgent.get(agent) ?? shared;
    },
    socketPath,
    [Symbol.dispose]: () => following[Symbol.dispose](),
  };
};
