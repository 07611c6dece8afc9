/** The verbs about people elsewhere and their contexts: what help, completion and the parser know of them. */
import { ROLES } from '../../domain/role.ts';
import type { CommandSpec, FlagSpec } from '../command.ts';
import { OUTPUT } from './output-flag.ts';

const operators = () => import('./operators.ts');

const YES: FlagSpec = { name: 'yes', short: 'y', type: 'boolean', help: 'do not ask' };

export const operatorSpecs: readonly CommandSpec[] = [
  {
    name: 'operator invite',
    summary: 'make an invitation for a person elsewhere; needs the controller’s own user, or an admin',
    args: 'NAME',
    arity: [1, 1],
    flags: [
      {
        name: 'role',
        type: 'string',
        value: 'ROLE',
        choices: ROLES,
        default: 'viewer',
        help: 'what they may do: look; also send, start, stop and apply; also hosts, tenants and operators',
      },
      {
        name: 'tenant',
        type: 'string',
        multiple: true,
        value: 'TENANT',
        help: 'whose agents exist for them (default default; an admin sees all)',
      },
      { name: 'takeover', type: 'boolean', help: 'let an operator take terminals over; an admin may' },
      { name: 'expires', type: 'string', value: 'TIME', default: '15m', help: 'how long it may be used, at most 15m' },
      OUTPUT,
    ],
    examples: ['fleet operator invite maria --role operator --tenant acme', 'fleet operator invite ops --role admin'],
    notes:
      'The invitation is a secret and is shown once, on stdout. It works for one key only: fleet login makes that key on\n' +
      'their machine. Tell them over a line that you trust. An unused one of that name is void from now on.',
    load: async () => (await operators()).operatorInvite,
  },
  {
    name: 'operator ls',
    summary: 'people elsewhere: role, tenants, certificate, last seen; needs an admin',
    args: '',
    arity: [0, 0],
    flags: [OUTPUT],
    examples: ['fleet operator ls', 'fleet operator ls -o json'],
    notes: 'SEEN counts from the start of the controller. Expired: it may still renew, for 90 days, with the same key.',
    load: async () => (await operators()).operatorLs,
  },
  {
    name: 'operator revoke',
    summary: 'end what a person elsewhere may do, now; needs an admin',
    args: 'NAME',
    arity: [1, 1],
    flags: [YES, OUTPUT],
    examples: ['fleet operator revoke maria'],
    notes:
      'Open views, watches and takeovers end at once; its key is never good again. The name may be invited anew.\n' +
      'Unused invitations of that name are withdrawn, and so is what it made itself: join tokens and invitations.',
    load: async () => (await operators()).operatorRevoke,
  },
  {
    name: 'login',
    only: 'contexts',
    summary: 'become an operator of a cell, from this machine, by an invitation',
    args: 'TOKEN | -',
    arity: [1, 1],
    flags: [],
    examples: ['fleet login - < invitation', 'fleet login --context work fleet1o.…'],
    notes:
      '- reads it from stdin: arguments are visible to every user of the machine. The key is made here and stays here; the\n' +
      'controller is known by the invitation’s fingerprint before anything secret is sent. --context names the context\n' +
      'that is made (default: the cell’s name). It is in use at once, unless another is, or a host-agent of yours is here.',
    load: async () => (await operators()).login,
  },
  {
    name: 'context ls',
    only: 'contexts',
    summary: 'controllers that you are an operator of, and which is asked',
    args: '',
    arity: [0, 0],
    flags: [OUTPUT],
    examples: ['fleet context ls'],
    load: async () => (await operators()).contextLs,
  },
  {
    name: 'context use',
    only: 'contexts',
    summary: 'ask this controller from now on; local: the host-agent of this machine',
    args: 'NAME',
    arity: [1, 1],
    words: { NAME: ['local'] },
    flags: [],
    examples: ['fleet context use home', 'fleet context use local'],
    notes: '--context and FLEET_CONTEXT win over it, for one command or one shell.',
    load: async () => (await operators()).contextUse,
  },
  {
    name: 'context rm',
    only: 'contexts',
    summary: 'remove a context with its key; the identity itself an admin revokes',
    args: 'NAME',
    arity: [1, 1],
    flags: [YES],
    examples: ['fleet context rm home'],
    load: async () => (await operators()).contextRm,
  },
];
