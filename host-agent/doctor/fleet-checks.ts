/** The agents and what they are read from: tmux servers, roster, heartbeats, flags, host policy. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../../src/wire/gen/fleet/v1/view.ts';
import { readHostPolicy } from '../policy/host-policy.ts';
import type { DiagnoseOptions } from './diagnose-host.ts';
import { failed, ok, warning } from './finding.ts';

export const tmuxServers = ({ inventory }: DiagnoseOptions): Finding[] => {
  const { servers } = inventory.readings().tmux;
  if (servers.length === 0) return [ok('tmux servers', 'no tmux server of this user runs')];
  return servers.map((server) => {
    const what = `${server.socket}: ${server.sessions.length} sessions, pid ${server.pid ?? '?'}`;
    if (server.problem) {
      return failed(
        'tmux server',
        `${server.socket}: ${server.problem.words}`,
        'its sessions are shown as unknown',
        server.problem.code === 'unsafe_socket'
          ? `chmod 700 the folder of ${server.socket}, and make sure that it is yours`
          : 'look at that tmux server by hand',
      );
    }
    return ok('tmux server', server.polled ? `${what}; polled, because ${server.polled}` : what);
  });
};

export const roster = ({ inventory }: DiagnoseOptions): Finding => {
  const { path, roster: held, problem, warnings = [] } = inventory.readings().roster;
  if (problem !== null)
    return failed('roster', problem, 'agents are shown by the last roster that could be read', `mend ${path}`);
  const [first, ...more] = warnings;
  if (first !== undefined)
    return warning(
      'roster',
      `${first}${more.length === 0 ? '' : ` (and ${more.length} more files)`}`,
      'what is wrong there counts for nothing',
      'mend it; a launch reads the same file',
    );
  return ok(
    'roster',
    held === null ? `none at ${path}: every session is unmanaged` : `${held.agents.length} agents in ${path}`,
  );
};

export const heartbeats = ({ inventory, config }: DiagnoseOptions): Finding => {
  const { problem, byAgent } = inventory.readings().heartbeats;
  const folder = join(config.paths.mosaicHome, 'fleet/run');
  if (problem !== null)
    return failed('heartbeats', problem, 'agents cannot be seen to live', `make ${folder} readable for ${config.user}`);
  try {
    accessSync(folder, constants.R_OK | constants.W_OK);
  } catch (error) {
    const none = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (none) return ok('heartbeats', `${folder} does not exist: no agent has written one`);
    return warning(
      'heartbeats',
      `${folder} is not writable`,
      'sidecars of this user cannot write there',
      `chmod u+rwx ${folder}`,
    );
  }
  return ok('heartbeats', `${byAgent.size} in ${folder}`);
};

const MENDS: Record<string, { why: string; mend: (names: string[]) => string }> = {
  'BOOT-ENABLE': {
    why: 'after a reboot they will not come back',
    mend: (names) => `systemctl --user enable ${names.map((name) => `mosaic-agent@${name}.service`).join(' ')}`,
  },
  'STALE-UNIT': { why: 'systemd runs an older text of the unit', mend: () => 'systemctl --user daemon-reload' },
  UNPROTECTED: {
    why: 'their tmux server dies with the login or unit in which it was started',
    mend: () => 'start the tmux server in a unit of its own',
  },
  DRIFT: {
    why: 'the pane runs another program than the roster says',
    mend: () => 'look at the pane, or correct the roster',
  },
  MISSING: {
    why: 'the roster names them, and there is no session',
    mend: (names) => `systemctl --user start ${names.map((name) => `mosaic-agent@${name}.service`).join(' ')}`,
  },
  'FOREIGN-HEARTBEAT': {
    why: 'the beat comes from a process outside the pane',
    mend: () => 'look for a second copy of the agent',
  },
  'ORPHAN-VIEWER': {
    why: 'a viewer left its session behind',
    mend: () => 'tmux kill-session -t the session named …-watch-…',
  },
};

export const flagged = ({ inventory }: DiagnoseOptions): Finding[] =>
  Object.entries(MENDS).flatMap(([flag, { why, mend }]) => {
    const names = inventory.rows.filter(({ flags }) => flags.includes(flag)).map(({ agent }) => agent);
    const shown = `${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`;
    return names.length === 0 ? [] : [warning(flag, shown, why, mend(names))];
  });

export const policy = ({ config }: DiagnoseOptions): Finding => {
  const { control, federated, takeover, problem } = readHostPolicy(config.paths.config);
  return problem === null
    ? ok(
        'policy',
        `control ${control}, takeover ${takeover ? 'allowed' : 'refused'}, callers of other cells ${federated}`,
      )
    : failed('policy', problem, 'until it can be read, nothing but looking is allowed here', 'mend that file');
};
