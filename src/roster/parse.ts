/**
 * Comes in: the text of a roster file. Goes out: the roster after defaults, or one line that says what is wrong
 * and where. Pure: no file, no environment.
 */
import { AGENT_NAME, launchSocketOf, type Roster, type RosterAgent, sessionNameOf } from '../domain/roster.ts';
import { type Fault, faultWords, shown } from './fault.ts';
import { RosterText } from './roster-text.ts';
import { type AgentEntry, checkShape, type DefaultsEntry, isVersion2, type RosterFile } from './schema.ts';
import { shapeFaults } from './shape-faults.ts';
import { isSocketName, socketNameOf } from './socket-name.ts';

export type ParsedRoster = { roster: Roster; problem: null } | { roster: null; problem: string };

/** `file` is how the problem names it: `file:line:column: words`. */
export const parseRoster = (written: string | RosterText, file: string): ParsedRoster => {
  const { text, read: document } = typeof written === 'string' ? new RosterText(written) : written;
  const failed = (faults: Fault[]): ParsedRoster => ({ roster: null, problem: faultWords(file, text, faults) });
  if (document.faults.length > 0) return failed(document.faults);
  const shape = checkShape(document.value);
  if (!shape.success) return failed(shapeFaults(shape.error.issues, document, isVersion2(document.value)));
  const faults = meaningFaults(shape.data).map(({ path, words }) => ({
    offset: document.offsetOf(path, 'value'),
    words,
  }));
  return faults.length > 0 ? failed(faults) : { roster: rosterOf(shape.data), problem: null };
};

const DEFAULT_HOLDER = '_holder';
const DEFAULT_WORKING_DIRECTORY = '~/src';
/** `name`, or `user@name`. */
export const HOST = /^(?:([^@\s/]+)@)?([^@\s/]+)$/;

interface MeaningFault {
  path: (string | number)[];
  words: string;
}

const meaningFaults = (file: RosterFile): MeaningFault[] => {
  const defaults: DefaultsEntry = file.defaults ?? {};
  const faults: MeaningFault[] = envFaults(defaults.env, ['defaults', 'env']);
  const first = new Map<string, number>();
  const screens = new Map<string, number>();
  const servers = new Map<string, number>();
  const holder = sessionNameOf(file.tmux?.holder_session ?? DEFAULT_HOLDER);
  const socket = file.tmux?.socket_name ?? '';
  if (!isSocketName(socket)) faults.push({ path: ['tmux', 'socket_name'], words: socketWords(socket) });
  file.agents.forEach((agent, index) => {
    const fault = (key: string, words: string) => faults.push({ path: ['agents', index, key], words });
    const name = nameFault(agent.name, holder, layoutOf(agent, file));
    if (name !== null) fault('name', name);
    if (agent.host !== undefined && !HOST.test(agent.host))
      fault('host', `${shown(agent.host)} is no host or user@host`);
    if (agent.socket !== undefined && !isSocketName(agent.socket)) fault('socket', socketWords(agent.socket));
    if (agent.runtime === undefined && (agent as AgentEntry).command === undefined && defaults.command === undefined)
      fault('name', `${shown(agent.name)} needs a \`runtime\` or a \`command\``);
    faults.push(...envFaults((agent as AgentEntry).env, ['agents', index, 'env']));
    const identity = `${agent.host ?? ''}/${agent.name}`;
    const earlier = first.get(identity);
    if (earlier === undefined) first.set(identity, index);
    else fault('name', `${shown(agent.name)} is there twice: agents[${earlier}] has that name too`);
    const socketName = socketOf(agent, file) ?? 'default';
    const isolated = layoutOf(agent, file) === 'isolated';
    if (isolated && socketName === 'default') fault('socket', DEFAULT_SOCKET_WORDS);
    const server = `${agent.host ?? ''}/${socketName}`;
    const neighbour = servers.get(server);
    if (neighbour === undefined) servers.set(server, index);
    else if (earlier === undefined && (isolated || layoutOf(file.agents[neighbour]!, file) === 'isolated'))
      fault(agent.socket === undefined ? 'name' : 'socket', neighbourWords(socketName, file.agents[neighbour]!.name));
    const screen = `${agent.host ?? ''}/${socketName}/${sessionNameOf(agent.name)}`;
    const sharer = screens.get(screen);
    if (sharer === undefined) screens.set(screen, index);
    else if (earlier === undefined) fault('name', sharedWords(agent.name, file.agents[sharer]!.name));
  });
  return faults;
};

/** What the launch bakes from a key of the agent: two places that say it would one day say two things. */
const BAKED: ReadonlyMap<string, string> = new Map([
  ['MOSAIC_AGENT_NAME', 'name'],
  ['MOSAIC_AGENT_CLASS', 'class'],
  ['MOSAIC_AGENT_RUNTIME', 'runtime'],
  ['MOSAIC_AGENT_MODEL', 'model_hint'],
  ['MOSAIC_AGENT_WORKDIR', 'working_directory'],
  ['MOSAIC_AGENT_COMMAND', 'command'],
  ['MOSAIC_TMUX_SOCKET', 'socket'],
]);

const envFaults = (env: AgentEntry['env'], path: (string | number)[]): MeaningFault[] =>
  Object.entries(env ?? {}).flatMap(([name, value]) => {
    const key = BAKED.get(name);
    if (key !== undefined)
      return [{ path: [...path, name], words: `${shown(name)} is set from ${shown(key)}: write that` }];
    if (String(value).includes('\0')) return [{ path: [...path, name], words: `${shown(name)} must not hold a NUL` }];
    return [];
  });

const socketWords = (name: string): string => `${shown(name)} is no socket name: it takes no \`/\` and no blanks`;

const DEFAULT_SOCKET_WORDS =
  "an isolated agent's server is its own, never tmux's default one: name another socket, or none at all";

const neighbourWords = (socket: string, other: string): string =>
  `an isolated agent's server is its own, but ${shown(other)} is on socket ${shown(socket)} too`;

const sharedWords = (name: string, other: string): string =>
  `${shown(name)} and ${shown(other)} are one session to tmux, ${shown(sessionNameOf(name))}: rename one of them`;

const nameFault = (name: string, holder: string, layout: RosterAgent['layout']): string | null => {
  if (!AGENT_NAME.test(name))
    return `${shown(name)} is no agent name: letters, digits, \`_\`, \`.\` and \`-\`, first a letter or digit, at most 63`;
  if (sessionNameOf(name) === holder) return `${shown(name)} is the holder session's name`;
  // Version 1 allowed it, and such fleets run on their shared server.
  if (layout === 'isolated' && name.includes('.'))
    return `${shown(name)}: tmux would rename it ${shown(name.replaceAll('.', '_'))}`;
  return null;
};

const rosterOf = (file: RosterFile): Roster => {
  const defaults: DefaultsEntry = file.defaults ?? {};
  const resets = Object.entries(file.runtimes ?? {}).flatMap(([name, runtime]): [string, string][] =>
    runtime?.reset_command ? [[name, runtime.reset_command]] : [],
  );
  return {
    version: file.version,
    socketName: socketNameOf(file.tmux?.socket_name),
    holderSession: sessionNameOf(file.tmux?.holder_session ?? DEFAULT_HOLDER),
    workingDirectory: defaults.working_directory ?? DEFAULT_WORKING_DIRECTORY,
    resetCommands: new Map(resets),
    agents: file.agents.map((agent) => agentOf(agent as AgentEntry, file)),
  };
};

/** As either version has it. */
type Entry = Omit<AgentEntry, 'runtime'>;

const layoutOf = (entry: Entry, { version, defaults }: RosterFile): RosterAgent['layout'] =>
  entry.layout ?? (defaults as DefaultsEntry | undefined)?.layout ?? (version === 2 ? 'isolated' : 'shared');

/** An isolated agent has no part in the socket that the roster names for all. */
const socketOf = (entry: Entry, file: RosterFile): string | null => {
  if (entry.socket !== undefined) return socketNameOf(entry.socket);
  return layoutOf(entry, file) === 'isolated' ? launchSocketOf(entry.name) : socketNameOf(file.tmux?.socket_name);
};

const agentOf = (entry: AgentEntry, file: RosterFile): RosterAgent => {
  const defaults: DefaultsEntry = file.defaults ?? {};
  const [, user, host] = HOST.exec(entry.host ?? '') ?? [];
  return {
    name: entry.name,
    runtime: entry.runtime ?? null,
    role: entry.class || null,
    host: host ?? null,
    user: user ?? null,
    ssh: entry.ssh || null,
    socketName: socketOf(entry, file),
    model: entry.model_hint || null,
    effort: entry.effort ?? defaults.effort ?? null,
    lifecycle: entry.lifecycle ?? personaOf(entry) ?? defaults.lifecycle ?? null,
    workingDirectory: entry.working_directory ?? defaults.working_directory ?? DEFAULT_WORKING_DIRECTORY,
    command: entry.command ?? defaults.command ?? null,
    env: new Map(Object.entries({ ...defaults.env, ...entry.env }).map(([name, value]) => [name, String(value)])),
    layout: layoutOf(entry, file),
    connector: entry.connector ?? file.connector ?? null,
    restart: entry.restart ?? defaults.restart ?? null,
    envFile: entry.env_file ?? defaults.env_file ?? null,
  };
};

/** v1: a persistent persona outweighs being reset between tasks. */
const personaOf = (entry: AgentEntry): 'core' | 'ephemeral' | null => {
  if (entry.persistent_persona) return 'core';
  return entry.reset_between_tasks ? 'ephemeral' : null;
};
