/** The verbs about what should exist: what help, completion and the parser know of them. */
import type { CommandSpec, FlagSpec } from '../command.ts';
import { OUTPUT, outputFlag } from './output-flag.ts';

const desired = () => import('./desired.ts');

const FILE: FlagSpec = {
  name: 'file',
  short: 'f',
  type: 'string',
  value: 'FILE',
  help: 'roster of one host or of the whole fleet (default: the one in force for you on this host)',
};
const HOSTS: FlagSpec = {
  name: 'host',
  type: 'string',
  multiple: true,
  value: 'HOST',
  help: 'only this host, and all of yours there, also what the roster no longer names',
};
const YES: FlagSpec = { name: 'yes', type: 'boolean', help: 'do not ask before something is ended' };
const DRY_RUN: FlagSpec = { name: 'dry-run', type: 'boolean', help: 'only say what would be done' };
const FORCE: FlagSpec = {
  name: 'force',
  type: 'boolean',
  help: 'also over a roster that was changed meanwhile, which is kept beside it, and where others end with an agent',
};
const ID: FlagSpec = {
  name: 'id',
  type: 'string',
  value: 'ID',
  help: 'name of the whole (default: a new one); the same again does nothing twice and tells what became of it',
};
const TIMEOUT: FlagSpec = {
  name: 'timeout',
  type: 'string',
  value: 'TIME',
  default: '2m',
  help: 'how long a host may take for each agent, 1s to 10m',
};
const MAX_UNAVAILABLE: FlagSpec = {
  name: 'max-unavailable',
  type: 'string',
  value: 'N',
  default: '1',
  help: 'restarts at a time on each host; as many that do not come back end them there',
};
const CHANGE: readonly FlagSpec[] = [DRY_RUN, FORCE, ID, TIMEOUT, outputFlag('json', 'ndjson')];

const EXITS =
  'Exit: 0 all done, or nothing to do, 1 failed, 2 usage or a wrong roster, 3 some done and some not, 4 no such agent or\n' +
  'host, 5 unreachable, 6 not permitted, 7 not over in time, 8 refused (host policy, a roster changed meanwhile).';

export const desiredSpecs: readonly CommandSpec[] = [
  {
    name: 'init',
    only: 'machine',
    summary: 'write the first roster of this host, with what runs here if you like',
    args: '',
    arity: [0, 0],
    flags: [
      {
        name: 'preset',
        type: 'string',
        value: 'PRESET',
        choices: ['minimal', 'coding'],
        help: 'one agent, or an orchestrator, a coder, a reviewer and a worker (default: asked on a terminal, else minimal)',
      },
      { name: 'name', type: 'string', value: 'NAME', help: 'the agent of minimal (default assistant)' },
      { name: 'runtime', type: 'string', value: 'RUNTIME', help: 'pi, codex … (default pi, on codex)' },
      {
        name: 'model',
        type: 'string',
        value: 'MODEL',
        help: 'as the runtime takes it (default of pi: openai-codex/gpt-5.5:high)',
      },
      {
        name: 'workdir',
        type: 'string',
        value: 'FOLDER',
        help: 'where they start (default ~/src); made where it is missing',
      },
      { name: 'adopt', type: 'boolean', help: 'take the agents that run here, in no roster, into it as they are' },
      { name: 'no-adopt', type: 'boolean', help: 'do not ask for that' },
      {
        name: 'deploy',
        type: 'boolean',
        help: 'let the policy of this host make agents of its roster (control deploy)',
      },
      DRY_RUN,
      OUTPUT,
    ],
    examples: ['fleet init', 'fleet init --preset coding --workdir ~/src/project --deploy && fleet apply'],
    notes:
      'A roster that is there is never overwritten. On a terminal it asks for what no flag says; what is found here is shown\n' +
      'first. claude and other runtimes are used only where --runtime, or an adopted session, names them.\n' +
      'Exit: 0 written, 2 usage, 5 --adopt and no host-agent answers, 8 there is a roster already.',
    load: async () => (await desired()).init,
  },
  {
    name: 'apply',
    summary: 'make what runs be what a roster says: plan, then add, change, restart and remove',
    args: '',
    arity: [0, 0],
    flags: [
      FILE,
      HOSTS,
      YES,
      MAX_UNAVAILABLE,
      {
        name: 'migrate',
        type: 'string',
        bare: 'all',
        value: 'AGENT,…',
        help: 'give agents of a shared tmux server one of their own, one by one, in the roster in force',
      },
      {
        name: 'expires',
        type: 'string',
        value: 'TIME',
        default: '24h',
        help: 'how long what a host that is away shall be told waits for it, 10s to 168h',
      },
      ...CHANGE,
    ],
    examples: [
      'fleet apply --dry-run',
      'fleet apply',
      'fleet apply -f fleet.yaml --yes',
      'fleet apply --migrate=canary-pi',
    ],
    notes:
      'Each host has its own roster. With -f each (host, user) that the file names is sent its part; without, the roster on\n' +
      'this host is made to be so. The plan is that of fleet diff. What ends something is asked for (--yes elsewhere); what\n' +
      'only adds is not. Order on each host: what is removed, the roster, what is started, restarts --max-unavailable at a\n' +
      'time. A step that fails stops its agent only; a second apply plans anew and goes on. A roster that is another by now\n' +
      'than the one that was planned with is refused, and the difference shown. What a host that is away should be told waits\n' +
      'at the controller, and is never done after --expires.\n' +
      `A host must allow it: fleet host control HOST deploy.\n${EXITS}`,
    load: async () => (await desired()).apply,
  },
  {
    name: 'diff',
    summary: 'how what runs differs from what a roster says; changes nothing',
    args: '',
    arity: [0, 0],
    flags: [FILE, HOSTS, OUTPUT],
    examples: ['fleet diff', 'fleet diff -f fleet.yaml', 'fleet diff -f fleet.yaml --host dragon-lin -o json'],
    notes:
      '+ add, ~ change, > start or restart, - remove: what it takes to have what the roster says. What a hand edited in\n' +
      'an env file, or a program runs on its own account, is told as overridden and stays. An entry without a host is\n' +
      'this host’s; a host that the roster does not name is left alone. Every field is compared with the roster in force\n' +
      'there; of a host that does not tell it, what fleet ps tells: runtime, model, effort, class, lifecycle.\n' +
      'Exit: 0 the same, 1 it differs, 2 the roster is wrong (file:line:column), 3 not everything could be compared: an\n' +
      'entry has no place, or a host is not current, 4 no such host, 5 no host-agent answers.',
    load: async () => (await desired()).diff,
  },
  {
    name: 'add',
    summary: 'a new agent: into the roster of its host, enabled, and started',
    args: 'NAME',
    arity: [1, 1],
    flags: [
      { name: 'host', type: 'string', value: 'HOST', help: 'host, or user@host (default: this host)' },
      { name: 'runtime', type: 'string', value: 'RUNTIME', help: 'pi, codex, claude, opencode …; or --command' },
      { name: 'model', type: 'string', value: 'MODEL', help: 'as its runtime takes it' },
      { name: 'effort', type: 'string', value: 'EFFORT', help: 'reasoning effort, as its runtime takes it' },
      { name: 'class', type: 'string', value: 'CLASS', help: 'its role' },
      {
        name: 'lifecycle',
        type: 'string',
        value: 'LIFECYCLE',
        choices: ['core', 'ephemeral'],
        help: 'kept running, or run to its end',
      },
      { name: 'workdir', type: 'string', value: 'FOLDER', help: 'where it starts' },
      { name: 'command', type: 'string', value: 'COMMAND', help: 'shell command in place of the usual launch' },
      { name: 'env', type: 'string', multiple: true, value: 'NAME=VALUE', help: 'a variable; no secrets' },
      { name: 'env-file', type: 'string', value: 'PATH', help: 'file on its host with its secrets' },
      {
        name: 'restart',
        type: 'string',
        value: 'WHEN',
        choices: ['always', 'on-failure', 'no'],
        help: 'when it is started again after its end',
      },
      {
        name: 'layout',
        type: 'string',
        value: 'LAYOUT',
        choices: ['isolated', 'shared'],
        help: 'a tmux server of its own, or a session on a shared one',
      },
      { name: 'socket', type: 'string', value: 'NAME', help: 'its tmux socket' },
      { name: 'no-start', type: 'boolean', help: 'only write it into the roster' },
      ...CHANGE,
    ],
    examples: [
      'fleet add coder2 --runtime pi --model openai-codex/gpt-5.5:high --class coder --lifecycle core',
      'fleet add scout --host dragon-lin --runtime codex --lifecycle ephemeral --env TASK=42',
    ],
    notes: `Comments and order of that roster stay. A host without a roster gets its first one.\n${EXITS}`,
    load: async () => (await desired()).add,
  },
  {
    name: 'rm',
    summary: 'remove an agent: stopped, disabled, out of its roster; nothing of it comes back at boot',
    args: 'AGENT',
    arity: [1, 1],
    flags: [
      YES,
      { name: 'purge', type: 'boolean', help: 'its env file, too; otherwise your own files stay' },
      ...CHANGE,
    ],
    examples: ['fleet rm dragon-lin/scout', 'fleet rm coder2 --yes --purge'],
    notes: `An agent on another machine needs at least HOST/AGENT. One that cannot be ended stays in the roster.\n${EXITS}`,
    load: async () => (await desired()).rm,
  },
  {
    name: 'edit',
    summary: 'change an agent in the roster of its host, and make it so',
    args: 'AGENT',
    arity: [1, 1],
    flags: [
      { name: 'set', type: 'string', multiple: true, value: 'KEY=VALUE', help: 'a key of its entry, or env.NAME' },
      { name: 'unset', type: 'string', multiple: true, value: 'KEY', help: 'take that key away' },
      YES,
      ...CHANGE,
    ],
    examples: ['fleet edit coder --set model=openai-codex/gpt-5.5:high --unset effort', 'fleet edit dragon-lin/coder0'],
    notes:
      'Without --set and --unset, on a terminal, the whole roster of its host opens in $VISUAL or $EDITOR; it is checked\n' +
      `before anything is sent, and what you wrote is never lost.\n${EXITS}`,
    load: async () => (await desired()).edit,
  },
];
