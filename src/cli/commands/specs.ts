/** The table of verbs. What is not everyday is loaded by `load` only. A new verb: its file here, one entry, its row in PRODUCT. */
// Each start looks at it; here it is in reach of every verb that is loaded later, too (machines.ts says why).
import '../client/contexts.ts';
import { SORT_KEYS } from '../../domain/agent-filter.ts';
import { FLAGS, READINESS } from '../../domain/agent-row.ts';
import type { CommandSpec, FlagSpec } from '../command.ts';
import { attachSpecs } from './attach-specs.ts';
import { controllerSpecs } from './controller-specs.ts';
import { desiredSpecs } from './desired-specs.ts';
import * as everyday from './everyday.ts';
import { grantSpecs } from './grant-specs.ts';
import { hostSpecs, machines } from './host-specs.ts';
import { lifecycleSpecs } from './lifecycle-specs.ts';
import { operatorSpecs } from './operator-specs.ts';
import { orderSpecs } from './order-specs.ts';
import { OUTPUT, outputFlag } from './output-flag.ts';
import { peerSpecs } from './peer-specs.ts';
import { recordSpecs } from './record-specs.ts';
import { tenantSpecs } from './tenant-specs.ts';
import { terminalSpecs } from './terminal-specs.ts';
import { tokenSpecs } from './token-specs.ts';

const WATCH: FlagSpec = {
  name: 'watch',
  short: 'w',
  type: 'boolean',
  help: 'keep it current: redrawn in place on a terminal, one JSON object a line elsewhere',
};
const LOCAL: FlagSpec = { name: 'local', type: 'boolean', help: 'only what this machine knows by itself' };
const HOST: FlagSpec = {
  name: 'host',
  type: 'string',
  multiple: true,
  value: 'HOST',
  help: 'only this host',
};
const CELL: FlagSpec = { name: 'cell', type: 'string', multiple: true, value: 'CELL', help: 'only this cell' };
const TENANT: FlagSpec = { name: 'tenant', type: 'string', multiple: true, value: 'TENANT', help: 'only this tenant' };

const viewSpecs: readonly CommandSpec[] = [
  {
    name: 'ps',
    streams: true,
    summary: 'every agent that you may see',
    args: '',
    arity: [0, 0],
    flags: [
      WATCH,
      CELL,
      HOST,
      TENANT,
      { name: 'state', type: 'string', multiple: true, value: 'STATE', choices: READINESS, help: 'only in this state' },
      { name: 'flag', type: 'string', multiple: true, value: 'FLAG', choices: FLAGS, help: 'only with this flag' },
      { name: 'needs-me', type: 'boolean', help: 'only those that wait for a person' },
      { name: 'include-stale', type: 'boolean', help: 'let state, flag and needs match rows as last seen, too' },
      LOCAL,
      {
        name: 'sort',
        type: 'string',
        value: 'KEY',
        choices: SORT_KEYS,
        default: 'roster',
        help: 'order inside each host',
      },
      outputFlag('wide', 'json', 'ndjson', 'name'),
      { name: 'strict', type: 'boolean', help: 'exit 3 when not every host in scope answers' },
    ],
    examples: [
      'fleet ps',
      'fleet ps -w --needs-me',
      'fleet ps -o json | jq \'.agents[] | select(.readiness=="dead")\'',
    ],
    notes:
      'Markers: ! needs you, ~ not current, x dead. With -w on a terminal: q or ctrl-c leaves.\n' +
      'Exit: 0 shown, 3 with --strict and not complete, 4 no such host, 5 no host-agent answers.',
    load: async () => everyday.ps,
  },
  {
    name: 'hosts',
    streams: true,
    summary: 'hosts and their host-agents: link, last heard, version, certificate, warnings',
    args: '',
    arity: [0, 0],
    flags: [
      WATCH,
      CELL,
      HOST,
      TENANT,
      LOCAL,
      outputFlag('wide', 'json', 'ndjson', 'name'),
      { name: 'strict', type: 'boolean', help: 'exit 3 when not every host in scope answers' },
    ],
    examples: ['fleet hosts', 'fleet hosts -w'],
    load: async () => everyday.hosts,
  },
];

const selfSpecs: readonly CommandSpec[] = [
  {
    name: 'whoami',
    summary: 'who you are to the fleet, and what you may do',
    args: '',
    arity: [0, 0],
    flags: [OUTPUT],
    examples: ['fleet whoami'],
    load: async () => everyday.whoami,
  },
  {
    name: 'doctor',
    summary: 'what is wrong here or on another host, why it matters, and its mend',
    args: '[HOST]',
    arity: [0, 1],
    flags: [
      { name: 'all', short: 'a', type: 'boolean', help: 'every host that you may see, each asked by itself' },
      {
        name: 'fix',
        type: 'boolean',
        help: 'make the mends that a program can make, on this host, after showing them',
      },
      {
        name: 'end',
        type: 'string',
        multiple: true,
        value: 'ID',
        help: 'with --fix: end this left-over viewer session too, by the id that doctor prints',
      },
      { name: 'yes', short: 'y', type: 'boolean', help: 'do not ask' },
      { name: 'dry-run', type: 'boolean', help: 'with --fix: say what would be done and change nothing' },
      OUTPUT,
    ],
    examples: ['fleet doctor', 'fleet doctor dragon-lin', 'fleet doctor --all -o json', 'fleet doctor --fix'],
    notes:
      '--fix never stops, starts or restarts an agent; what would need that is said. Afterwards it looks again.\n' +
      'Exit: 0 nothing failed (warnings may be there), 1 something failed, or a mend did; 3 with --all, when some host\n' +
      'could not be asked; 5 the host does not answer (what can be told without it is told).',
    load: async () => (await machines()).doctor,
  },
  {
    name: 'completion',
    only: 'contexts',
    summary: 'completion for a shell: verbs, flags, hosts and agents as they are now',
    args: 'bash|zsh|fish',
    arity: [1, 1],
    flags: [],
    examples: ['source <(fleet completion bash)', 'fleet completion fish > ~/.config/fish/completions/fleet.fish'],
    load: async () => everyday.completion,
  },
  {
    name: '__complete',
    summary: 'candidates for the last of these words',
    args: '[WORD…]',
    arity: [0, Number.MAX_SAFE_INTEGER],
    flags: [],
    examples: ['fleet __complete -- ps --st'],
    hidden: true,
    load: async () => everyday.complete,
  },
  {
    name: 'version',
    summary: 'version of this program, and of the host-agent that answers',
    args: '',
    arity: [0, 0],
    flags: [OUTPUT],
    examples: ['fleet version'],
    load: async () => everyday.version,
  },
];

export const specs: readonly CommandSpec[] = [
  ...viewSpecs,
  ...terminalSpecs,
  ...orderSpecs,
  ...attachSpecs,
  ...lifecycleSpecs,
  ...desiredSpecs,
  ...recordSpecs,
  ...hostSpecs,
  ...peerSpecs,
  ...grantSpecs,
  ...tenantSpecs,
  ...controllerSpecs,
  ...operatorSpecs,
  ...tokenSpecs,
  ...selfSpecs,
];
