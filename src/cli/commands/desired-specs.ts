/** The verbs about what should exist: what help, completion and the parser know of them. */
import type { CommandSpec } from '../command.ts';

const desired = () => import('./desired.ts');

export const desiredSpecs: readonly CommandSpec[] = [
  {
    name: 'diff',
    summary: 'how what runs differs from what a roster says; changes nothing',
    args: '',
    arity: [0, 0],
    flags: [
      {
        name: 'file',
        short: 'f',
        type: 'string',
        value: 'FILE',
        help: 'roster of one host or of the whole fleet (default: the one in force for you on this host)',
      },
      {
        name: 'host',
        type: 'string',
        multiple: true,
        value: 'HOST',
        help: 'only this host, and all of yours there, also what the roster no longer names',
      },
      {
        name: 'output',
        short: 'o',
        type: 'string',
        value: 'FORM',
        choices: ['table', 'json'],
        default: 'table',
        help: 'form of the output',
      },
    ],
    examples: ['fleet diff', 'fleet diff -f fleet.yaml', 'fleet diff -f fleet.yaml --host dragon-lin -o json'],
    notes:
      '+ add, ~ change, > start or restart, - remove: what it takes to have what the roster says. What a hand edited in\n' +
      'an env file, or a program runs on its own account, is told as overridden and stays. An entry without a host is\n' +
      'this host’s; a host that the roster does not name is left alone. Of you on this host every field is compared, of\n' +
      'others what fleet ps tells: runtime, model, effort, class, lifecycle.\n' +
      'Exit: 0 the same, 1 it differs, 2 the roster is wrong (file:line:column), 3 not everything could be compared: an\n' +
      'entry has no place, or a host is not current, 4 no such host, 5 no host-agent answers.',
    load: async () => (await desired()).diff,
  },
];
