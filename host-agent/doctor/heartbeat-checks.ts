/** Whether agents write their heartbeats where they are read. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../../src/wire/gen/fleet/v1/view.ts';
import type { DiagnoseOptions } from './diagnose-options.ts';
import { failed, ok, warning } from './finding.ts';

export const heartbeats = (options: DiagnoseOptions): Finding[] => {
  const { inventory, config } = options;
  const { problem, byAgent } = inventory.readings().heartbeats;
  const shared = join(config.paths.mosaicHome, 'fleet/run');
  const found = written(options);
  if (problem !== null) {
    const mend = `make ${shared} readable for ${config.user}`;
    return [failed('heartbeats', problem, 'agents cannot be seen to live', mend), ...found];
  }
  const folders = new Set([shared, ...inventory.rows.map(({ agent }) => readFolder(options, agent))]);
  const closed = [...folders].filter((folder) => accessOf(folder) === 'closed');
  if (closed.length > 0) {
    const mend = `chmod u+rwx ${closed.join(' ')}`;
    const why = 'sidecars of this user cannot write there';
    return [warning('heartbeats', `${closed.join(', ')} is not writable`, why, mend), ...found];
  }
  const none = accessOf(shared) === 'missing' && byAgent.size === 0;
  const what = none
    ? `${shared} does not exist: no agent has written one`
    : `${byAgent.size} in ${[...folders].filter((folder) => accessOf(folder) === 'open').join(', ')}`;
  return [ok('heartbeats', what), ...found];
};

/** Where the reader looks: the agent's env file may name another folder. */
const readFolder = ({ inventory, heartbeatFolder }: DiagnoseOptions, agent: string): string =>
  heartbeatFolder(agent, inventory.readings().roster.env.get(agent) ?? new Map());

const WRITER = ['MOSAIC_HEARTBEAT_RUN_DIR', 'MOSAIC_HOME'];

/** A pane has its environment from its tmux server, which may be older than the env file, or another shell's. */
const written = (options: DiagnoseOptions): Finding[] =>
  options.inventory.rows.flatMap(({ agent, managed, tmux }) => {
    if (!managed || tmux?.pid == null) return [];
    const pid = tmux.pid;
    const env = new Map(
      WRITER.flatMap((name) => {
        const value = options.processes.environment(pid, name);
        return value === null ? [] : [[name, value] as const];
      }),
    );
    const read = readFolder(options, agent);
    const write = options.heartbeatFolder(agent, env);
    if (env.size === 0 || write === read) return [];
    return [
      warning(
        'heartbeat folder',
        `${agent} writes to ${write}, and is read in ${read}`,
        'it is shown as if it had no heartbeat',
        `set MOSAIC_HEARTBEAT_RUN_DIR=${write} in agents/${agent}.env, or restart it with the right environment`,
      ),
    ];
  });

const accessOf = (folder: string): 'open' | 'closed' | 'missing' => {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK);
    return 'open';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'missing' : 'closed';
  }
};
