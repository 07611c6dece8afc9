/**
 * The texts of the user units under which agents run. Comes in: an agent of the roster, and where things live. Goes out:
 * text that is the same for the same roster. What changes with an env file stands in what `prepare` writes at each start.
 */

import { join } from 'node:path';
import { HOLDER_UNIT } from '../../src/domain/holder.ts';
import type { RestartPolicy, RosterAgent } from '../../src/domain/roster.ts';
import { agentLaunchPaths, HOLDER, type LaunchGround, launcherProgram } from './launch-paths.ts';

/** In the [Unit] section of every unit that fleet wrote; systemd passes over settings that begin so. */
const MARK = 'X-Fleet-Agent';

/** Whether fleet wrote this unit, and so may change or delete it. Anybody else's is left alone. */
export const isOurUnitText = (text: string): boolean => new RegExp(`^${MARK}=`, 'm').test(text);

/** By lifecycle, unless the roster says it: an ephemeral worker runs to its end, every other one always runs. */
const restartOf = ({ restart, lifecycle }: Pick<RosterAgent, 'restart' | 'lifecycle'>): RestartPolicy =>
  restart ?? (lifecycle === 'ephemeral' ? 'no' : 'always');

/**
 * One unit and one tmux server for one agent: the server is the unit's main process, so that the unit's state is
 * whether the agent lives. tmux exits 0 whatever the agent did; ExecStopPost ends as the agent did, so that the unit's
 * result, and with it Restart=, is about the agent. One that crashes fourteen times in eight minutes ends in `failed`; what
 * needs the network at boot has more than a minute to find it.
 */
export const agentUnitText = (agent: RosterAgent, ground: LaunchGround): string => {
  const files = agentLaunchPaths(ground, agent.name);
  const sh = (script: string): string => execLine('/bin/sh', script);
  return `${HEAD}
[Unit]
Description=Agent ${agent.name}, in a tmux server of its own
StartLimitIntervalSec=480
StartLimitBurst=14
${MARK}=${agent.name}

[Service]
Type=exec
${environment(ground)}ExecStartPre=${execLine(launcherProgram(ground), 'prepare', agent.name)}
ExecStart=${sh(files.server)}
ExecStop=-${sh(files.stop)}
ExecStopPost=${sh(files.finish)}
Restart=${restartOf(agent)}
RestartSec=5
KillMode=control-group
TimeoutStartSec=60
TimeoutStopSec=20
OOMPolicy=continue
UMask=0077

[Install]
WantedBy=default.target
`;
};

/**
 * For an agent on a shared server (layout `shared`) that has no unit at all: it makes a session on the holder's server.
 * Like the units that such fleets have, it says `active (exited)` whatever becomes of the session.
 */
export const sharedAgentUnitText = (agent: RosterAgent, ground: LaunchGround): string => {
  const files = agentLaunchPaths(ground, agent.name);
  return `${HEAD}
[Unit]
Description=Agent ${agent.name}, on a shared tmux server
Requires=${HOLDER_UNIT}
After=${HOLDER_UNIT}
${MARK}=${agent.name}

[Service]
Type=oneshot
RemainAfterExit=yes
${environment(ground)}ExecStartPre=${execLine(launcherProgram(ground), 'prepare', agent.name)}
ExecStart=${execLine('/bin/sh', files.join)}
ExecStop=-${execLine('/bin/sh', files.stop)}
KillMode=process
TimeoutStartSec=60
TimeoutStopSec=20
UMask=0077

[Install]
WantedBy=default.target
`;
};

/** The tmux server of a shared layout, where the user has no holder unit: it ends with its last session. */
export const holderUnitText = (ground: LaunchGround): string => `${HEAD}
[Unit]
Description=The tmux server that agents share
${MARK}=

[Service]
Type=exec
${environment(ground)}ExecStartPre=${execLine(launcherProgram(ground), 'prepare-holder')}
ExecStart=${execLine('/bin/sh', agentLaunchPaths(ground, HOLDER).server)}
Restart=always
RestartSec=2
TimeoutStopSec=20
OOMPolicy=continue
UMask=0077

[Install]
WantedBy=default.target
`;

const HEAD = '# Written by fleet, and written again by it: what an agent is stands in the roster and in its env file.';

/** Where a fleet's data and sockets lie elsewhere than usual, its launcher and its tmux must look there too. */
const environment = ({ home, mosaicHome, tmuxTmpdir }: LaunchGround): string =>
  [
    ...(mosaicHome === join(home, '.config/mosaic') ? [] : [`Environment=${word(`MOSAIC_HOME=${mosaicHome}`)}\n`]),
    ...(tmuxTmpdir === '/tmp' ? [] : [`Environment=${word(`TMUX_TMPDIR=${tmuxTmpdir}`)}\n`]),
  ].join('');

/** A command of a unit; `$` is doubled, since systemd would put a variable in its place. */
const execLine = (...words: string[]): string => words.map((each) => word(each).replaceAll('$', '$$$$')).join(' ');

/** One word of a unit file, whatever it holds (systemd.syntax, quoting; systemd.unit, specifiers). */
const word = (text: string): string => {
  const escaped = text.replaceAll('%', '%%');
  return /^[\w@%+=:,./-]+$/.test(escaped)
    ? escaped
    : `"${escaped.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
};
