/** The played machines' tmux servers, on private sockets inside their instances; never one of the user's own. */
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { exec } from '../../src/runtime/exec.ts';
import { type Paths, resolvePaths } from '../../src/runtime/paths.ts';
import type { PlayedAgent, PlayedMachine } from './machines.ts';

const CALL_TIMEOUT_MS = 10_000;
const MAX_SOCKET_BYTES = 107;

export const pathsOf = (machine: PlayedMachine): Paths => resolvePaths({ instance: machine.instance });

const socketFolder = (paths: Paths): string => join(paths.tmuxTmpdir, `tmux-${process.getuid?.()}`);

const tmux = async (socket: string, args: readonly string[]): Promise<void> => {
  const result = await exec('tmux', ['-u', '-S', socket, '-f', '/dev/null', ...args], {
    timeoutMs: CALL_TIMEOUT_MS,
    env: { TMUX: '', TMUX_PANE: '' },
  });
  if (result.exitCode !== 0) throw new Error(`tmux ${args[0]}: ${result.stderr.trim() || result.spawnError}`);
};

const isThere = (socket: string, session: string): Promise<boolean> =>
  tmux(socket, ['has-session', '-t', `=${session}`]).then(
    () => true,
    () => false,
  );

/** Starts what is not running yet. */
export const startSessions = async (machine: PlayedMachine, node: string): Promise<void> => {
  const paths = pathsOf(machine);
  const socket = join(socketFolder(paths), machine.socket ?? 'default');
  if (Buffer.byteLength(socket) > MAX_SOCKET_BYTES) {
    throw new Error(`${socket} is too long for a socket: run the quickstart as a user with a shorter home`);
  }
  mkdirSync(socketFolder(paths), { recursive: true, mode: 0o700 });
  chmodSync(socketFolder(paths), 0o700);
  if (machine.roster !== null) {
    mkdirSync(join(paths.mosaicHome, 'fleet'), { recursive: true, mode: 0o700 });
    writeFileSync(join(paths.mosaicHome, 'fleet/roster.yaml'), machine.roster);
  }
  for (const agent of machine.agents) {
    if (await isThere(socket, agent.session)) continue;
    const command = commandOf(machine, agent, paths, node);
    const size = ['-x', '120', '-y', '40'];
    if (agent.group === undefined) {
      await tmux(socket, ['new-session', '-d', '-s', agent.session, ...size, ...command]);
    } else {
      // A session that joins a group takes no command, so its first pane is given one.
      await tmux(socket, ['new-session', '-d', '-t', agent.group, '-s', agent.session, ...size]);
      await tmux(socket, ['respawn-pane', '-k', '-t', `=${agent.session}:`, ...command]);
    }
  }
};

const commandOf = (machine: PlayedMachine, agent: PlayedAgent, paths: Paths, node: string): string[] => {
  const source = agent.mood === 'composer' || agent.mood === 'asks' ? 'scripted-codex' : 'scripted-agent';
  // What runs is known by the script's own name, so each has a folder.
  const script = join(paths.state, 'agents', source, `${agent.runs}.js`);
  buildSync({
    entryPoints: [join(import.meta.dirname, `${source}.ts`)],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    logLevel: 'error',
  });
  const beats = machine.roster === null ? '' : join(paths.mosaicHome, 'fleet/run');
  return [node, script, agent.mood, agent.session, beats];
};

/** Ends every server of the instance; sockets without one are left for the folder's removal. */
export const endSessions = async (machine: PlayedMachine): Promise<void> => {
  const folder = socketFolder(pathsOf(machine));
  let sockets: string[];
  try {
    sockets = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of sockets) await tmux(join(folder, name), ['kill-server']).catch(() => undefined);
};
