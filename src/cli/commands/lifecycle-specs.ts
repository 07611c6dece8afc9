/** The verbs that start and stop agents of a roster: what help, completion and the parser know of them. */
import type { CommandSpec, FlagSpec } from '../command.ts';

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
  {
    name: 'output',
    short: 'o',
    type: 'string',
    value: 'FORM',
    choices: ['table', 'json', 'ndjson'],
    help: 'form of the output',
    default: 'table',
  },
];
const FORCE: FlagSpec = {
  name: 'force',
  type: 'boolean',
  help: 'also where other sessions end with it, or somebody has taken it over',
};
const timeout = (value: string): FlagSpec => ({
  name: 'timeout',
  type: 'string',
  value: 'TIME',
  default: value,
  help: 'how long its host may take for each, 1s to 10m',
});

const RULES =
  'Only agents of a host’s roster, each by its own unit; sessions in no roster are refused. Two orders to one\n' +
  'agent come one after the other. With several agents --id is the beginning of each order’s id.\n';
const EXITS =
  'Exit: 0 all done, 1 failed or not proven, 2 usage, 3 some done and some not, 4 no such agent, or ambiguous,\n' +
  '5 unreachable or not current, 6 not permitted, 7 not over in time (fleet order ID), 8 refused, nothing changed.';

export const lifecycleSpecs: readonly CommandSpec[] = [
  {
    name: 'start',
    summary: 'start agents of a roster, and prove that they run',
    args: '[AGENT…]',
    arity: [0, Number.MAX_SAFE_INTEGER],
    flags: [...SELECTION, FORCE, timeout('1m'), ...COMMON],
    examples: ['fleet start coder', 'fleet start --host W-jarvis --role reviewer --yes'],
    notes:
      'Done when its session is there and its row is working, available or stuck; one that runs is left as it is.\n' +
      `${RULES}${EXITS}`,
    load: async () => (await lifecycle()).start,
  },
  {
    name: 'stop',
    summary: 'stop agents of a roster, and prove that their sessions are gone',
    args: '[AGENT…]',
    arity: [0, Number.MAX_SAFE_INTEGER],
    flags: [...SELECTION, FORCE, timeout('2m'), ...COMMON],
    examples: ['fleet stop dragon-lin/coder', 'fleet stop --role reviewer --dry-run'],
    notes: `An agent on another machine needs at least HOST/AGENT.\n${RULES}${EXITS}`,
    load: async () => (await lifecycle()).stop,
  },
  {
    name: 'restart',
    summary: 'stop agents of a roster and start them anew, so many at a time',
    args: '[AGENT…]',
    arity: [0, Number.MAX_SAFE_INTEGER],
    flags: [
      ...SELECTION,
      {
        name: 'max-unavailable',
        type: 'string',
        value: 'N',
        default: '1',
        help: 'so many at a time on each host; as many that do not come back end it there',
      },
      FORCE,
      timeout('2m'),
      ...COMMON,
    ],
    examples: ['fleet restart coder', 'fleet restart --all --max-unavailable 2 --yes'],
    notes: `One that is stopped is started. Hosts do not wait for each other.\n${RULES}${EXITS}`,
    load: async () => (await lifecycle()).restart,
  },
];
