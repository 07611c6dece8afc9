/** The shape of a roster file, keys strict, versions 1 and 2. Meaning (names, defaults) is elsewhere. */
import { z } from 'zod';
import { RESTART_POLICIES } from '../../src/domain/roster.ts';

const NO_CONTROL = /^[^\p{Cc}]*$/u;

const line = z.string().regex(NO_CONTROL, 'must be one line without control characters');
const word = line.min(1, 'must not be empty');
const optionalLine = line.optional();

const connector = z.enum(['tmux', 'discord', 'matrix']).optional();
const layout = z.enum(['isolated', 'shared']).optional();
const lifecycle = z.enum(['core', 'ephemeral']).optional();
const restart = z.enum(RESTART_POLICIES).optional();

const agentV1 = z.strictObject({
  name: word,
  runtime: word,
  class: optionalLine,
  host: word.optional(),
  ssh: optionalLine,
  socket: optionalLine,
  model_hint: optionalLine,
  persistent_persona: z.boolean().optional(),
  reset_between_tasks: z.boolean().optional(),
  working_directory: word.optional(),
  connector,
});

const agentV2 = agentV1.extend({
  runtime: word.optional(),
  layout,
  lifecycle,
  effort: word.optional(),
  command: z.string().trim().min(1, 'must not be empty').optional(),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.union([z.string(), z.number(), z.boolean()]))
    .optional(),
  env_file: word.optional(),
  restart,
});

const top = {
  transport: z.literal('tmux').optional(),
  tmux: z.strictObject({ socket_name: optionalLine, holder_session: word.optional() }).optional(),
  runtimes: z.record(z.string(), z.strictObject({ reset_command: optionalLine }).optional()).optional(),
  connector,
};
const defaults = z.strictObject({ working_directory: word.optional() });

const rosterV1 = z.strictObject({
  version: z.literal(1),
  ...top,
  defaults: defaults.optional(),
  agents: z.array(agentV1).min(1, 'names no agent'),
});

const rosterV2 = z.strictObject({
  version: z.literal(2),
  ...top,
  defaults: defaults.extend({ layout, lifecycle, effort: word.optional(), restart }).optional(),
  agents: z.array(agentV2).min(1, 'names no agent'),
});

export type RosterFile = z.output<typeof rosterV1> | z.output<typeof rosterV2>;
export type AgentEntry = z.output<typeof agentV1> & Partial<z.output<typeof agentV2>>;
export type DefaultsEntry = NonNullable<z.output<typeof rosterV2>['defaults']>;

/** Checks against version 2 if the file says so, else against version 1. */
export const checkShape = (value: unknown): z.ZodSafeParseResult<RosterFile> =>
  isVersion2(value) ? rosterV2.safeParse(value) : rosterV1.safeParse(value);

export const isVersion2 = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'version' in value && value.version === 2;
