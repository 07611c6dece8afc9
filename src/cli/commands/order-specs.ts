/** The verbs that say something to one agent, or ask why it waits: what help, completion and the parser know of them. */
import { KEY_NAMES } from '../../domain/key-names.ts';
import type { CommandSpec, FlagSpec } from '../command.ts';
import { OUTPUT, outputFlag } from './output-flag.ts';

const orders = () => import('./orders.ts');

const ID: FlagSpec = {
  name: 'id',
  type: 'string',
  value: 'ID',
  help: 'name of this order (default: a new one); the same again types nothing twice and tells what became of it',
};
const timeout = (value: string): FlagSpec => ({
  name: 'timeout',
  type: 'string',
  value: 'TIME',
  default: value,
  help: 'how long the host may take for it, 1s to 10m',
});

const OUTCOMES =
  'The agent’s whole address and the id of the order are said first, on stderr; a row that is not current is refused.\n';
const EXITS =
  'Exit: 0 done, 1 typed but not proven (do not repeat it unseen), 2 usage, 4 no such agent, gone, or ambiguous,\n' +
  '5 unreachable or not current, 6 not permitted, 7 not over in time (fleet order ID), 8 refused, nothing typed.';

export const orderSpecs: readonly CommandSpec[] = [
  {
    name: 'next',
    summary: 'the agent that waits longest for a person: what it asks, and how to answer',
    args: '',
    arity: [0, 0],
    flags: [
      outputFlag('json', 'name'),
      { name: 'no-watch', type: 'boolean', help: 'only print: do not go on to its screen' },
    ],
    examples: ['fleet next', 'fleet next -o json | jq .prompt.choices'],
    notes:
      'On a terminal its live screen is opened afterwards, as fleet watch does; elsewhere, and with -o json or name, it\n' +
      'only prints. Exit: 0 also where nobody waits (stderr says so, json has agent null), 5 no host-agent answers.',
    load: async () => (await orders()).next,
  },
  {
    name: 'send',
    summary: 'type a message to an agent, submit it, and prove that it took it',
    args: 'AGENT TEXT…',
    arity: [2, Number.MAX_SAFE_INTEGER],
    flags: [
      { name: 'no-verify', type: 'boolean', help: 'do not wait for proof: the outcome is unverifiable, exit 1' },
      timeout('30s'),
      {
        name: 'wait-idle',
        type: 'string',
        value: 'TIME',
        bare: '10m',
        help: 'wait so long for a busy agent to become idle, 1s to 12h, beside --timeout',
      },
      {
        name: 'no-label',
        type: 'boolean',
        help: 'leave out who it is from; only so a /command is taken as the runtime’s own',
      },
      ID,
      OUTPUT,
    ],
    examples: [
      'fleet send coder0-0 "run the tests again"',
      'git diff | fleet send dragon-lin/reviewer -',
      'fleet send --wait-idle=1h coder0-0 - < task.md',
    ],
    notes:
      'TEXT is visible to every user of this machine in the process list; a lone - reads it from stdin. At most 256 KiB.\n' +
      'Quote it: a word that begins with - is a flag, except after --. Control characters are not typed.\n' +
      'Never typed into a shell, over a person’s draft, or at a prompt. Proof is looked for at least every 400 ms,\n' +
      `until --timeout is over.\n${OUTCOMES}${EXITS}`,
    load: async () => (await orders()).send,
  },
  {
    name: 'keys',
    summary: 'press keys of an allow-list in an agent’s pane',
    args: 'AGENT KEY…',
    arity: [2, 33],
    words: { KEY: KEY_NAMES },
    flags: [
      { name: 'if-prompt', type: 'string', value: 'ID', help: 'only while exactly this prompt is shown' },
      { name: 'blind', type: 'boolean', help: 'y, n, digits and Enter at a prompt, without naming which' },
      timeout('15s'),
      ID,
      OUTPUT,
    ],
    examples: ['fleet keys coder0-0 Escape', 'fleet keys coder0-0 Down Enter --if-prompt 3f9a1c'],
    notes:
      `Keys: ${KEY_NAMES.join(' ')}\n` +
      'At most 32, C-c once. At a prompt, what could answer it needs --if-prompt (fleet explain shows the id) or\n' +
      `--blind.\n${OUTCOMES}${EXITS}`,
    load: async () => (await orders()).keys,
  },
  {
    name: 'answer',
    summary: 'answer exactly the prompt that you saw; if the screen changed, nothing is typed',
    args: 'AGENT CHOICE',
    arity: [2, 2],
    flags: [
      { name: 'prompt', type: 'string', value: 'ID', help: 'the prompt that is answered; needed' },
      timeout('15s'),
      ID,
      OUTPUT,
    ],
    examples: ['fleet answer dragon-lin/coder0-0 1 --prompt 3f9a1c'],
    notes: `fleet next and fleet explain print the whole command for each choice.\n${OUTCOMES}${EXITS}`,
    load: async () => (await orders()).answer,
  },
  {
    name: 'order',
    summary: 'what became of an order',
    args: 'ID',
    arity: [1, 1],
    flags: [OUTPUT],
    examples: ['fleet order 0b7c3f0e-7a0e-4a52-9f0e-5f1f2f3a4b5c'],
    notes: `Ends as the order itself ended, and with 4 also where nobody knows of it.\n${EXITS}`,
    load: async () => (await orders()).order,
  },
  {
    name: 'explain',
    summary: 'why an agent is shown as it is: the evidence, the rule that decided, the prompt and its choices',
    args: 'AGENT',
    arity: [1, 1],
    flags: [OUTPUT],
    examples: ['fleet explain coder0-0', 'fleet explain dragon-lin/coder0-0 -o json'],
    notes:
      'Read from its screen at this moment; nothing of it is stored.\nExit: 0 told, 4 no such agent, 5 unreachable, 6 not permitted.',
    load: async () => (await orders()).explain,
  },
];
