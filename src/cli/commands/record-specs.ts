/** The verbs that tell what happens and what happened: what help, completion and the parser know of them. */
import { WAIT_CONDITIONS } from '../../domain/wait-condition.ts';
import type { CommandSpec, FlagSpec } from '../command.ts';
import { OUTPUT, outputFlag } from './output-flag.ts';

const records = () => import('./records.ts');

const SINCE: FlagSpec = { name: 'since', type: 'string', value: 'TIME', help: 'not older than this: 90s, 15m, 8h' };
export const recordSpecs: readonly CommandSpec[] = [
  {
    name: 'wait',
    summary: 'block until an agent is what you wait for',
    args: 'AGENT',
    arity: [1, 1],
    flags: [
      {
        name: 'for',
        type: 'string',
        multiple: true,
        value: 'STATE',
        choices: WAIT_CONDITIONS,
        help: 'what it shall be; needed; several, by commas: whichever comes first',
      },
      {
        name: 'timeout',
        type: 'string',
        value: 'TIME',
        default: '10m',
        help: 'how long to wait, at most 168h; 0 looks once',
      },
      OUTPUT,
    ],
    examples: [
      'fleet wait coder0-0 --for available --timeout 1h && fleet send coder0-0 "the next task"',
      'fleet wait dragon-lin/coder0-0 --for blocked,dead',
      'fleet stop coder && fleet wait coder --for gone',
    ],
    notes:
      'up: its session is there and its pane lives. blocked: it waits for a person. gone: it has no session any more.\n' +
      'Nothing is asked again and again: the change is told. Only a current row counts; a host that cannot be heard is\n' +
      'waited for. With --for up, HOST/AGENT may be one that nobody has yet. How it stands at the end is printed.\n' +
      'Exit: 0 it is so, 4 no such agent, or it left (not for gone), 5 unreachable, or not current the whole time, 7 not\n' +
      'in time, 130 ctrl-c.',
    load: async () => (await records()).wait,
  },
  {
    name: 'events',
    streams: true,
    summary: 'what happened: agents up, down, blocked, hosts lost and back, orders done, takeovers',
    args: '',
    arity: [0, 0],
    flags: [
      { name: 'follow', short: 'f', type: 'boolean', help: 'go on with events as they happen, also after a break' },
      { ...SINCE, help: `${SINCE.help} (default 8h, with -f from now on)` },
      { name: 'host', type: 'string', multiple: true, value: 'HOST', help: 'only this host, or HOST/USER' },
      {
        name: 'exec',
        type: 'string',
        value: 'CMD',
        help: 'run this program once for each event, which it gets as JSON on its stdin; no shell',
      },
      outputFlag('ndjson'),
    ],
    examples: [
      'fleet events --since 8h',
      'fleet events -f -o ndjson | jq \'select(.kind=="blocked")\'',
      'fleet events -f --exec "notify-me --quiet"',
    ],
    notes:
      'Kinds: up down drift blocked waiting host-lost host-back order-done watch-begin watch-end takeover-begin\n' +
      'takeover-end. blocked: it waits for a person, with the reason’s code and the prompt’s id; waiting: it is available.\n' +
      'Never in it: a screen’s text, a title, a prompt. Orders are those that went through the controller.\n' +
      'The controller keeps them for 7 days, at most 64 MB, of which the host with most of them gives up its oldest first.\n' +
      'After a break -f goes on from where it was, and says so where some are kept no more. --exec: at most 4 at once, 30 s each; what they print goes to stderr.\n' +
      'Exit: 0 told, or you left; 2 there is no such program, 3 one of --exec failed, 5 unreachable, 6 not permitted.',
    load: async () => (await records()).events,
  },
  {
    name: 'audit',
    streams: true,
    summary: 'who did what, and was refused what; needs the controller’s own user, or an admin',
    args: '',
    arity: [0, 0],
    flags: [
      {
        name: 'follow',
        short: 'f',
        type: 'boolean',
        help: 'go on with records as they are written, also after a break',
      },
      { name: 'verify', type: 'boolean', help: 'look whether the whole chain holds, and where it breaks' },
      { name: 'local', type: 'boolean', help: 'the journal of this host instead: orders to its agents' },
      SINCE,
      {
        name: 'lines',
        short: 'n',
        type: 'string',
        value: 'N',
        help: 'at most so many, the newest (default 50, with --since all; --local 1000)',
      },
      outputFlag('json', 'ndjson'),
    ],
    examples: [
      'fleet audit --since 8h',
      'fleet audit -f -o ndjson | jq \'select(.outcome=="denied")\'',
      'fleet audit --verify',
      'fleet audit --local -n 20',
    ],
    notes:
      'allowed, denied and began are written before the effect; done, failed and ended after it, with how long it took\n' +
      'and the bytes of its messages. Texts are in no record: of a message there is its HMAC under a key of the cell.\n' +
      'What is refused before anything is done is one record; beyond 100 in ten minutes one caller’s are counted by verb.\n' +
      '--verify also compares with what the host-agent of this machine heard of the chain in the controller’s beats, so\n' +
      'that one which was written anew is found. JSON: fleet.audit/v1.\n' +
      'Exit: 0 told, or the chain holds; 1 it does not; 2 usage, 5 unreachable, 6 not permitted.',
    load: async () => (await records()).audit,
  },
];
