/** The verbs that start, stop and reset agents: what help, completion and the parser know of them. */
import type { CommandSpec, FlagSpec } from '../command.ts';
import { outputFlag } from './output-flag.ts';

const lifecycle = () => import('./lifecycle.ts');

const SELECTION: readonly FlagSpec[] = [
  { name: 'host', type: 'string', multiple: true, value: 'HOST', help: 'every agent of a roster on this host' },
  { name: 'role', type: 'string', multiple: true, value: 'ROLE', help: 'every agent with this role (class)' },
  { name: 'all', type: 'boolean', help: 'every agent of every roster in this cell' },
];
const COMMON: readonly FlagSpec[] = [
  { name: 'yes', type: 'boolean', help: 'do not ask, where several agents or a selection are meant' },
  { name: 'dry-run', type: 'boolean', help: 'only say which agents are meant' },
  {
    name: 'id',
    type: 'string',
    value: 'ID',
    help: 'name of this order (default: a new one); the same again does nothing twice and tells what became of it',
  },
  outputFlag('json', 'ndjson'),
];
const FORCE: FlagSpec = {
  name: 'force',
  type: 'boolean',
  help: 'also where other sessions end with it, or somebody has taken it over',
};
const ADOPT: FlagSpec = {
  name: 'adopt',
  type: 'boolean',
  help: 'also a session that no roster names: exactly that session, or its own pane begun anew',
};
const HOLDER: FlagSpec = {
  name: 'holder',
  type: 'string',
  value: 'HOST',
  help: 'the holder of the shared tmux server there (HOST, or HOST/USER), and no agent',
};
const ROLLING: FlagSpec = {
  name: 'max-unavailable',
  type: 'string',
  value: 'N',
  default: '1',
  help: 'so many at a time on each host; as many that do not come back end it there',
};
const timeout = (value: string): FlagSpec => ({
  name: 'timeout',
  type: 'string',
  value: 'TIME',
  default: value,
  help: 'how long its host may take for each, 1s to 10m',
});

const RULES =
  'Agents of a host’s roster, each by its own unit; a session in no roster is refused without --adopt. Two orders\n' +
  'to one agent come one after the other. With several agents --id is the beginning of each order’s id.\n';
const HOLDERS =
  'With the holder every session on its tmux server ends: they are named, and it is done only with --force.\n';
const EXITS =
  'Exit: 0 all done, 1 failed or not proven, 2 usage, 3 some done and some not, 4 no such agent, or ambiguous,\n' +
  '5 unreachable or not current, 6 not permitted, 7 not over in time (fleet order ID), 8 refused, nothing changed.';

export const lifecycleSpecs: readonly CommandSpec[] = [
  {
    name: 'start',
    summary: 'start agents of a roster, and prove that they run',
    args: '[AGENT…]',
    arity: [0, Number.MAX_SAFE_INTEGER],
    flags: [...SELECTION, HOLDER, ADOPT, FORCE, timeout('1m'), ...COMMON],
    examples: ['fleet start coder', 'fleet start --host W-jarvis --role reviewer --yes'],
    notes:
      'Done when its session is there and its row is working, available or stuck, or when an ephemeral worker ran to\n' +
      'its end and exited 0; one that runs is left as it is.\n' +
      `${RULES}${EXITS}`,
    load: async () => (await lifecycle()).start,
  },
  {
    name: 'stop',
    summary: 'stop agents of a roster, and prove that their sessions are gone',
    args: '[AGENT…]',
    arity: [0, Number.MAX_SAFE_INTEGER],
    flags: [...SELECTION, HOLDER, ADOPT, FORCE, timeout('2m'), ...COMMON],
    examples: ['fleet stop dragon-lin/coder', 'fleet stop --role reviewer --dry-run'],
    notes: `An agent on another machine needs at least HOST/AGENT.\n${HOLDERS}${RULES}${EXITS}`,
    load: async () => (await lifecycle()).stop,
  },
  {
    name: 'restart',
    summary: 'stop agents of a roster and start them anew, so many at a time',
    args: '[AGENT…]',
    arity: [0, Number.MAX_SAFE_INTEGER],
    flags: [...SELECTION, HOLDER, ROLLING, ADOPT, FORCE, timeout('2m'), ...COMMON],
    examples: ['fleet restart coder', 'fleet restart --all --max-unavailable 2 --yes'],
    notes: `One that is stopped is started. Hosts do not wait for each other.\n${HOLDERS}${RULES}${EXITS}`,
    load: async () => (await lifecycle()).restart,
  },
  {
    name: 'reset',
    summary: 'begin a new conversation in agents: by their own command, or by a restart',
    args: '[AGENT…]',
    arity: [0, Number.MAX_SAFE_INTEGER],
    flags: [...SELECTION, ROLLING, ADOPT, FORCE, timeout('2m'), ...COMMON],
    examples: ['fleet reset coder', 'fleet reset --role reviewer --yes'],
    notes:
      'Types the runtime’s reset command (reset_command of the roster, else /new, or /clear of claude and codex), and\n' +
      'looks whether what was said is gone and the composer empty. Where that is not proven, or it is working, waits for\n' +
      'a person or is no known runtime, it is restarted, and the reason says so. fleet send AGENT /new --no-label types\n' +
      'a command and no more.\n' +
      'An agent on another machine needs at least HOST/AGENT. A person’s text in its composer: only with --force.\n' +
      `${RULES}${EXITS}`,
    load: async () => (await lifecycle()).reset,
  },
];
