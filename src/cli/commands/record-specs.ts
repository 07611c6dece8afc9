/** The verbs that tell what happens and what happened: what help, completion and the parser know of them. */
import { WAIT_CONDITIONS } from '../../domain/wait-condition.ts';
import type { CommandSpec } from '../command.ts';

const records = () => import('./records.ts');

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
      {
        name: 'output',
        short: 'o',
        type: 'string',
        value: 'FORM',
        choices: ['table', 'json'],
        help: 'form of the output',
        default: 'table',
      },
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
];
