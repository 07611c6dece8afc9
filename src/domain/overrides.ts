/** Where something outranks the roster: an env file that a hand edited, or what really runs. Told, never taken away. */
import type { AgentRow } from './agent-row.ts';
import { declaredFields } from './declared-fields.ts';
import type { RosterAgent } from './roster.ts';

export interface Override {
  field: string;
  /** What the roster says. */
  roster: string | null;
  /** What holds instead. */
  holds: string;
  /** The agent's env file; its pane's process; its heartbeat. */
  by: 'env' | 'process' | 'heartbeat';
}

/** The variables of an env file that outrank a key of the roster (MOSAIC.md, environment). */
const ENV_FIELDS: readonly (readonly [variable: string, field: string])[] = [
  ['MOSAIC_AGENT_RUNTIME', 'runtime'],
  ['MOSAIC_AGENT_MODEL', 'model'],
  ['MOSAIC_AGENT_CLASS', 'role'],
  ['MOSAIC_AGENT_WORKDIR', 'working_directory'],
  ['MOSAIC_AGENT_COMMAND', 'command'],
];

/** Every variable of an env file that has its say here. */
export const OVERRIDING_VARIABLES: ReadonlySet<string> = new Set([
  'MOSAIC_TMUX_SOCKET',
  ...ENV_FIELDS.map(([variable]) => variable),
]);

/** `env` is the agent's env file; null where it is not known. */
export const overridesOf = (
  wanted: RosterAgent,
  row: AgentRow,
  env: ReadonlyMap<string, string> | null,
): Override[] => {
  const roster = declaredFields(wanted);
  const overrides: Override[] = [];
  const compare = (field: string, holds: string | null | undefined, by: Override['by']): void => {
    const said = roster[field] ?? null;
    if (holds != null && holds !== '' && holds !== said) overrides.push({ field, roster: said, holds, by });
  };
  // Without a name it is the default socket, and so is an empty name.
  const socket = env?.get('MOSAIC_TMUX_SOCKET');
  if (socket !== undefined && (socket || 'default') !== (roster.socket ?? 'default'))
    overrides.push({ field: 'socket', roster: roster.socket ?? null, holds: socket || 'default', by: 'env' });
  for (const [variable, field] of ENV_FIELDS) compare(field, env?.get(variable), 'env');
  // Flagged by the host, which knows which runtimes count as themselves.
  if (row.flags.includes('DRIFT')) compare('runtime', row.runtimeSeen, 'process');
  if (row.flags.includes('MODEL-DRIFT')) compare('model', row.modelSeen, 'heartbeat');
  return overrides;
};
