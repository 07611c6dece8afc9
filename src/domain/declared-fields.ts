/**
 * What a roster says of one agent, field by field, so that two rosters, or a roster and a row, can be told apart. Field
 * names are those of rows, and the roster's own where rows have none.
 */
import type { AgentRow } from './agent-row.ts';
import type { RosterAgent } from './roster.ts';

export interface FieldChange {
  /** `model`, `working_directory`, `env.PORT` … */
  field: string;
  /** null: not there. */
  from: string | null;
  to: string | null;
}

/** Fields that a row tells of, wherever its host is. */
const ROW_FIELDS = ['runtime', 'model', 'effort', 'role', 'lifecycle'] as const;

/** Taken up without a launch: by the unit, or by nobody. Every other field is baked when an agent is launched. */
const NOT_LAUNCHED: ReadonlySet<string> = new Set(['lifecycle', 'restart', 'connector', 'boot']);

export const isBakedAtLaunch = (field: string): boolean => !NOT_LAUNCHED.has(field);

type Fields = Record<string, string | null>;

export const declaredFields = (agent: RosterAgent): Fields => ({
  runtime: agent.runtime,
  model: agent.model,
  effort: agent.effort,
  role: agent.role,
  lifecycle: agent.lifecycle,
  restart: agent.restart ?? null,
  working_directory: agent.workingDirectory,
  command: agent.command,
  layout: agent.layout,
  socket: agent.socketName,
  connector: agent.connector,
  env_file: agent.envFile ?? null,
  ...Object.fromEntries([...agent.env].map(([name, value]) => [`env.${name}`, value])),
});

/** From what is declared now to what is wanted, in the order of the fields. */
export const declaredChanges = (now: RosterAgent, wanted: RosterAgent): FieldChange[] => {
  const [from, to] = [declaredFields(now), declaredFields(wanted)];
  return differing(from, to, [...new Set([...Object.keys(from), ...Object.keys(to)])]);
};

/** The same as far as a row tells. */
export const rowChanges = (row: AgentRow, wanted: RosterAgent): FieldChange[] =>
  differing({ ...row } as unknown as Fields, declaredFields(wanted), ROW_FIELDS);

const differing = (from: Fields, to: Fields, fields: readonly string[]): FieldChange[] =>
  fields
    .map((field) => ({ field, from: from[field] ?? null, to: to[field] ?? null }))
    .filter((change) => change.from !== change.to);
