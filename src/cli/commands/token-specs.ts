/** The verbs about join tokens of hosts: what help, completion and the parser know of them. */
import type { CommandSpec } from '../command.ts';
import * as everyday from './everyday.ts';
import { OUTPUT } from './output-flag.ts';

const tokens = () => import('./tokens.ts');

export const tokenSpecs: readonly CommandSpec[] = [
  {
    name: 'token',
    summary: 'make a token with which one host enrols; needs the controller’s own user, or an admin',
    args: 'HOST',
    arity: [1, 1],
    flags: [
      { name: 'user', type: 'string', value: 'USER', help: 'Linux user of the host-agent (default your own name)' },
      {
        name: 'tenant',
        type: 'string',
        value: 'TENANT',
        help: 'to whom its agents belong (default: whose it is bound to be, else default)',
      },
      { name: 'ttl', type: 'string', value: 'TIME', default: '15m', help: 'how long it may be used, at most 15m' },
      { name: 'replace', type: 'boolean', help: 'let it take over a name or machine that is enrolled already' },
      OUTPUT,
    ],
    examples: ['fleet token dragon-lin --user jwoltje | ssh jwoltje@dragon-lin fleet host join'],
    notes:
      'The token is a secret and is shown once, on stdout. It works for one key only.\n' +
      'fleet token ls lists it until it is used or over; fleet token rm withdraws it.',
    load: async () => everyday.token,
  },
  {
    name: 'token ls',
    summary: 'tokens that can still be used: for which host and user, until when; needs an admin',
    args: '',
    arity: [0, 0],
    flags: [OUTPUT],
    examples: ['fleet token ls'],
    notes:
      'The secrets are shown by nobody again. Invitations of people are in fleet operator ls, of cells in fleet peer ls.',
    load: async () => (await tokens()).tokenLs,
  },
  {
    name: 'token rm',
    summary: 'withdraw the tokens of a host that nobody has used; needs an admin',
    args: 'HOST[/USER]',
    arity: [0, 1],
    flags: [
      { name: 'any', type: 'boolean', help: 'instead of HOST: those that any host could use' },
      { name: 'yes', short: 'y', type: 'boolean', help: 'do not ask' },
      OUTPUT,
    ],
    examples: ['fleet token rm dragon-lin', 'fleet token rm dragon-lin/jwoltje --yes'],
    notes: 'Counts at once. A host that has joined is not touched: fleet host rm takes it out.',
    load: async () => (await tokens()).tokenRm,
  },
];
