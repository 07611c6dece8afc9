/** The texts that one start is made of, from what the agent was resolved to. Every value is quoted; nothing is read here. */
import type { Roster } from '../../src/domain/roster.ts';
import { shellQuoted, tmuxQuoted } from '../../src/runtime/quote.ts';
import { FLEET_VERSION } from '../../src/runtime/version.ts';
import { type AgentLaunchPaths, HOLDER } from './launch-paths.ts';
import type { ResolvedAgent } from './resolve-agent.ts';
import { execText } from './shell-text.ts';

/** What systemd and tmux tell their own children, and must not tell an agent. */
const NOT_HANDED_ON = [
  'FLEET_LAUNCH',
  'INVOCATION_ID',
  'JOURNAL_STREAM',
  'LISTEN_FDS',
  'LISTEN_PID',
  'MANAGERPID',
  'NOTIFY_SOCKET',
  'SYSTEMD_EXEC_PID',
  'WATCHDOG_PID',
  'WATCHDOG_USEC',
].join(' ');

const exported = (name: string, value: string): string => `export ${name}=${shellQuoted(value)}\n`;

/** What the pane runs: it becomes the agent. Holds the agent's secrets, so its file is for its user alone. */
export const launchText = (agent: ResolvedAgent, { folder }: AgentLaunchPaths): string =>
  `# Written by fleet ${FLEET_VERSION} at each start of ${agent.name}, from the roster and the agent's env file.
umask 022
unset ${NOT_HANDED_ON}
[ -n "$LC_ALL$LC_CTYPE$LANG" ] || export LANG=C.UTF-8
${exported('PATH', agent.path)}${[...agent.environment].map(([name, value]) => exported(name, value)).join('')}cd ${shellQuoted(agent.workdir)} || exit
sh ${shellQuoted(`${folder}/begin.sh`)} "$$"
[ ! -p ${shellQuoted(`${folder}/alive`)} ] || exec 9<> ${shellQuoted(`${folder}/alive`)}
${execText(agent.command)}
`;

/**
 * The tmux server of one agent. `window-size manual` keeps a small viewer from shrinking the agent's screen; set before
 * there is a window, it crashes the server (3.3a). Only the agent's own pane outlives its program, for the recorder.
 */
export const serverConfText = ({ session }: ResolvedAgent, { launch }: AgentLaunchPaths): string => {
  const target = tmuxQuoted(`=${session}:`);
  return `# Written by fleet ${FLEET_VERSION} at each start.
set-option -s exit-empty on
set-option -s exit-unattached off
set-option -s escape-time 20
set-option -g destroy-unattached off
set-option -g status off
set-option -g history-limit 20000
set-option -g default-terminal screen-256color
set-option -g remain-on-exit on
set-hook -g pane-died 'run-shell -b "exec sh \\"$FLEET_LAUNCH/died.sh\\""'
new-session -d -s ${tmuxQuoted(session)} -n ${tmuxQuoted(session)} -x 120 -y 40 /bin/sh ${tmuxQuoted(launch)}
set-option -p -t ${target} remain-on-exit on
set-option -g remain-on-exit off
set-option -w -t ${target} window-size manual
run-shell -b 'exec sh "$FLEET_LAUNCH/beat.sh"'
`;
};

/** What the scripts of the launch must know. */
export const settingsText = (agent: ResolvedAgent, { folder, runs }: AgentLaunchPaths, tmux: string): string =>
  assigned({
    agent: agent.name,
    session: agent.session,
    socket: agent.socket ?? 'default',
    layout: agent.layout,
    tmux,
    folder,
    runs,
    beats: agent.heartbeatFolder,
    interval: String(agent.heartbeatSeconds),
  });

export const holderSettingsText = (
  { socketName, holderSession }: Roster,
  { folder, runs }: AgentLaunchPaths,
  tmux: string,
): string => assigned({ agent: HOLDER, session: holderSession, socket: socketName ?? 'default', tmux, folder, runs });

const assigned = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${shellQuoted(value)}\n`)
    .join('');

/** The holder's server: one session that does nothing, so that the server stays whoever else comes and goes. */
export const holderConfText = (session: string): string => `# Written by fleet ${FLEET_VERSION}.
set-option -s exit-empty on
set-option -g destroy-unattached off
new-session -d -s ${tmuxQuoted(session)} -n ${tmuxQuoted(session)} -x 120 -y 40 /usr/bin/env tail -f /dev/null
`;
