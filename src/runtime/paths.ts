/**
 * The one resolver of where things live, for every program of ours. The environment decides nothing here but
 * HOME: a reader and a writer with different environments must find the same folder.
 */
import { lstatSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';

export interface Paths {
  /** null: the user's own fleet; a name: an instance with everything of its own. */
  instance: string | null;
  /** Sockets and locks; 0700. */
  run: string;
  /** Keys, certificates, databases, logs; 0700. */
  state: string;
  /** Our own settings, among them the host's policy file. */
  config: string;
  /** Installed versions, shared by all instances. */
  share: string;
  hostAgentSocket: string;
  adminSocket: string;
  /** Roster, agents' env and heartbeats: operator data, read only. */
  mosaicHome: string;
  /** Folder whose `tmux-UID` holds the sockets; TMUX_TMPDIR of this fleet's tmux. */
  tmuxTmpdir: string;
  /** null: the daemons of this machine are asked; a name: the controller of that context (`contextFolder`). */
  context: string | null;
  /** Only the servers below `tmuxTmpdir` are this fleet's, and no systemd unit is (instances). */
  isolated: boolean;
}

export const INSTANCE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/;

const isOwnFolder = (path: string, uid: number): boolean => {
  try {
    const stat = lstatSync(path);
    return stat.isDirectory() && stat.uid === uid;
  } catch {
    return false;
  }
};

export const resolvePaths = (
  options: { instance?: string | null; home?: string; uid?: number; env?: NodeJS.ProcessEnv } = {},
): Paths => {
  const env = options.env ?? process.env;
  const instance = options.instance ?? null;
  const uid = options.uid ?? userInfo().uid;
  const home = options.home ?? homedir();
  const below = instance === null ? [] : ['instances', instance];
  const state = join(home, '.local/state/fleet', ...below);
  const runtimeDir = `/run/user/${uid}`;
  const run = isOwnFolder(runtimeDir, uid)
    ? join(runtimeDir, 'fleet', ...(instance === null ? [] : ['i', instance]))
    : join(state, 'run');
  return {
    instance,
    run,
    state,
    config: join(home, '.config/fleet', ...below),
    share: join(home, '.local/share/fleet'),
    hostAgentSocket: join(run, 'host-agent.sock'),
    adminSocket: join(run, 'admin', 'controller.sock'),
    mosaicHome: instance === null ? env.MOSAIC_HOME || join(home, '.config/mosaic') : join(state, 'mosaic'),
    tmuxTmpdir: instance === null ? env.TMUX_TMPDIR || '/tmp' : join(state, 'tmux'),
    context: null,
    isolated: instance !== null,
  };
};
