/**
 * The JSON Schema of a roster, from the schema that reads rosters: `node deploy/build/roster-schema.ts` prints what
 * stands in `deploy/roster.schema.json`. It describes what to write; fleet reads camelCase and empty keys too.
 */
import * as z from 'zod/mini';
import { AGENT_NAME } from '../../src/domain/roster.ts';
import { HOST } from '../../src/roster/parse.ts';
import { rosterV1, rosterV2 } from '../../src/roster/schema.ts';
import { SOCKET_NAME } from '../../src/roster/socket-name.ts';

interface Json {
  [key: string]: unknown;
  properties?: Record<string, Json>;
  items?: Json;
  additionalProperties?: Json | false;
}

/** What an editor shows beside each key. */
const ABOUT: Record<string, string> = {
  version: 'form of this file; 2 has layout, lifecycle, effort, command, env, env_file and restart besides',
  transport: 'how agents are reached',
  tmux: 'the tmux servers of all agents',
  socket_name: 'socket of every agent of layout shared that names none; empty: tmux’s default socket',
  holder_session: 'session that keeps a shared tmux server alive; default _holder',
  defaults: 'holds for every agent that says nothing else',
  runtimes: 'by name of the runtime',
  reset_command: 'typed into an agent of this runtime to reset it, such as /clear',
  connector: 'how the agent is spoken to',
  agents: 'which agents should exist',
  name: 'its name, its session’s and its unit’s',
  runtime: 'program that runs in its pane: pi, codex, claude, opencode …',
  class: 'its role',
  host: 'host, or user@host; absent: this host',
  ssh: 'how to reach the host by ssh',
  socket:
    'name of its tmux socket; an isolated agent’s is its own, fleet-NAME unless named; empty: tmux’s default socket',
  model_hint: 'model, as its runtime takes it',
  persistent_persona: 'true: a core agent',
  reset_between_tasks: 'true: an ephemeral worker',
  working_directory: 'where it starts; default ~/src',
  layout: 'isolated: a tmux server of its own (default in version 2); shared: a session on a common socket',
  lifecycle: 'core: kept running; ephemeral: runs to its end',
  effort: 'reasoning effort, as its runtime takes it',
  command: 'shell command in place of the usual launch of its runtime',
  env: 'variables of the agent; no secrets: those stand in env_file',
  env_file: 'file with the agent’s secrets, read at its launch',
  restart: 'when it is started again after its end; default: always for core agents',
};

/** Stricter than the shape: what tmux, systemd or a file name would change is refused after it. */
const PATTERNS: Record<string, string> = {
  host: HOST.source,
  // An isolated agent's takes no `.` either: tmux would change it.
  name: AGENT_NAME.source,
  socket: SOCKET_NAME.source,
  socket_name: SOCKET_NAME.source,
};
/** Not every reader of JSON Schema knows classes of Unicode. */
const PORTABLE: Record<string, string> = { '^[^\\p{Cc}]*$': '^[^\\u0000-\\u001f\\u007f-\\u009f]*$' };

const described = (schema: Json, name: string | null): Json => {
  const out: Json = { ...(name !== null && { description: ABOUT[name] }), ...schema };
  delete out.$schema;
  if (typeof out.pattern === 'string') out.pattern = PORTABLE[out.pattern] ?? out.pattern;
  if (name !== null && PATTERNS[name] !== undefined) out.pattern = PATTERNS[name];
  const { properties, items, additionalProperties } = schema;
  if (properties)
    out.properties = Object.fromEntries(Object.entries(properties).map(([key, each]) => [key, described(each, key)]));
  if (items) out.items = described(items, null);
  if (additionalProperties) out.additionalProperties = described(additionalProperties, null);
  return out;
};

const version = (schema: z.ZodMiniType): Json => described(z.toJSONSchema(schema, { io: 'input' }) as Json, null);

export const rosterSchema = (): Json => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Mosaic fleet roster',
  description: 'Which agents should exist, and where. Checked against names and hosts by: fleet diff -f FILE',
  if: { properties: { version: { const: 2 } }, required: ['version'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { $ref: '#/$defs/version2' },
  else: { $ref: '#/$defs/version1' },
  $defs: {
    version1: version(rosterV1),
    version2: version(rosterV2),
  },
});

if (import.meta.main) process.stdout.write(`${JSON.stringify(rosterSchema(), null, 2)}\n`);
