import type { Lifecycle } from './agent-row.ts';

/** Which agents should exist, after defaults: roster v1 and v2 alike. Reading and writing files is elsewhere. */
export interface Roster {
  version: 1 | 2;
  /** The socket that the roster's own `tmux.socket_name` names; null is tmux's default socket. */
  socketName: string | null;
  holderSession: string;
  workingDirectory: string;
  resetCommands: Map<string, string>;
  agents: RosterAgent[];
}

export interface RosterAgent {
  name: string;
  runtime: string | null;
  /** v1 `class`. */
  role: string | null;
  /** Host it belongs to; null is this one. */
  host: string | null;
  /** Linux user where `user@name` placed it. */
  user: string | null;
  ssh: string | null;
  /** tmux socket name, after the resolver; null is the default socket. */
  socketName: string | null;
  model: string | null;
  effort: string | null;
  lifecycle: Lifecycle | null;
  workingDirectory: string | null;
  command: string | null;
  env: Map<string, string>;
  layout: 'isolated' | 'shared';
  connector: string | null;
  /** v2; null or absent: by lifecycle, core agents always. */
  restart?: RestartPolicy | null;
  /** v2: file with the agent's secrets, read at the launch; never their values. */
  envFile?: string | null;
}

export const RESTART_POLICIES = ['always', 'on-failure', 'no'] as const;
export type RestartPolicy = (typeof RESTART_POLICIES)[number];

/** Names that tmux, systemd or a file name would change are no agent names (MOSAIC.md, roster v1). */
export const AGENT_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

/** tmux keeps no `.` or `:` in a session's name. */
export const sessionNameOf = (agent: string): string => agent.replace(/[.:]/g, '_');

/** Socket of the tmux server of an agent that has one to itself, unless the roster or its env file names another. */
export const launchSocketOf = (agent: string): string => `fleet-${agent}`;

/** Of the row of an agent that a roster names; its name alone tells it, whether that roster was read yet or not. */
export const rosterKey = (agent: string): string => `roster:${agent}`;

/** null: the key is of another kind. */
export const rosterNameOf = (key: string): string | null => {
  const name = key.startsWith('roster:') ? key.slice('roster:'.length) : '';
  return AGENT_NAME.test(name) ? name : null;
};

/**
 * Whether its unit is to start it at each boot. An ephemeral worker in a tmux server of its own is started by whoever has
 * work for it; a shared layout comes back as a whole, as such fleets always did.
 */
export const comesUpAtBoot = ({ lifecycle, layout }: Pick<RosterAgent, 'lifecycle' | 'layout'>): boolean =>
  lifecycle !== 'ephemeral' || layout === 'shared';
