/** The shape of a roster file, keys strict, versions 1 and 2. Meaning (names, defaults) is elsewhere. */
import * as z from 'zod/mini';
import type { util } from 'zod/v4/core';
import { RESTART_POLICIES } from '../domain/roster.ts';

const NO_CONTROL = /^[^\p{Cc}]*$/u;

const line = z.string().check(z.regex(NO_CONTROL, 'must be one line without control characters'));
const word = line.check(z.minLength(1, 'must not be empty'));
const VARIABLE = z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]*$/));
const optionalLine = z.optional(line);

const connector = z.optional(z.enum(['tmux', 'discord', 'matrix']));
const layout = z.optional(z.enum(['isolated', 'shared']));
const lifecycle = z.optional(z.enum(['core', 'ephemeral']));
const restart = z.optional(z.enum(RESTART_POLICIES));

const effort = z.optional(word);
const command = z.optional(
  z.string().check(z.trim(), z.minLength(1, 'must not be empty'), z.regex(/^[^\0]*$/, 'must not hold a NUL')),
);
const env = z.optional(z.record(VARIABLE, z.union([z.string(), z.number(), z.boolean()])));
const envFile = z.optional(word);

const agentV1 = z.strictObject({
  name: word,
  runtime: word,
  class: optionalLine,
  host: z.optional(word),
  ssh: optionalLine,
  socket: optionalLine,
  model_hint: optionalLine,
  persistent_persona: z.optional(z.boolean()),
  reset_between_tasks: z.optional(z.boolean()),
  working_directory: z.optional(word),
  connector,
});

const agentV2 = z.extend(agentV1, {
  runtime: z.optional(word),
  layout,
  lifecycle,
  effort,
  command,
  env,
  env_file: envFile,
  restart,
});

const top = {
  transport: z.optional(z.literal('tmux')),
  tmux: z.optional(z.strictObject({ socket_name: optionalLine, holder_session: z.optional(word) })),
  runtimes: z.optional(z.record(z.string(), z.optional(z.strictObject({ reset_command: optionalLine })))),
  connector,
};
const defaults = z.strictObject({ working_directory: z.optional(word) });

export const rosterV1 = z.strictObject({
  version: z.literal(1),
  ...top,
  defaults: z.optional(defaults),
  agents: z.array(agentV1).check(z.minLength(1, 'names no agent')),
});

export const rosterV2 = z.strictObject({
  version: z.literal(2),
  ...top,
  defaults: z.optional(z.extend(defaults, { layout, lifecycle, effort, command, env, env_file: envFile, restart })),
  agents: z.array(agentV2),
});

export type RosterFile = z.output<typeof rosterV1> | z.output<typeof rosterV2>;
export type AgentEntry = z.output<typeof agentV1> & Partial<z.output<typeof agentV2>>;
export type DefaultsEntry = NonNullable<z.output<typeof rosterV2>['defaults']>;

/** Checks against version 2 if the file says so, else against version 1. */
export const checkShape = (value: unknown): util.SafeParseResult<RosterFile> =>
  isVersion2(value) ? rosterV2.safeParse(value) : rosterV1.safeParse(value);

export const isVersion2 = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'version' in value && value.version === 2;
