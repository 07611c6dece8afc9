/** The verbs about whose agents are whose, as data. */
import type { CommandSpec } from '../command.ts';
import { OUTPUT, outputFlag } from './output-flag.ts';

const tenants = () => import('./tenants.ts');

const MOVES =
  'Counts at once: its agents leave the one tenant and are the other’s, who watches them from there is cut, and what its\n' +
  'callers were allowed elsewhere (fleet host allow) is withdrawn. Sessions and agents are not touched.';

export const tenantSpecs: readonly CommandSpec[] = [
  {
    name: 'tenant add',
    summary: 'make a tenant; needs the controller’s own user, or an admin',
    args: 'NAME',
    arity: [1, 1],
    flags: [OUTPUT],
    examples: ['fleet tenant add acme'],
    notes: 'A tenant is bound to Linux users on hosts: fleet tenant bind. The tenant default is always there.',
    load: async () => (await tenants()).add,
  },
  {
    name: 'tenant ls',
    summary: 'tenants, the users on hosts that are theirs, and their operators',
    args: '',
    arity: [0, 0],
    flags: [outputFlag('json', 'ndjson', 'name')],
    examples: ['fleet tenant ls', 'fleet tenant ls -o json'],
    notes: 'A user in brackets is bound and not enrolled yet. JSON: fleet.tenants/v1.',
    load: async () => (await tenants()).ls,
  },
  {
    name: 'tenant rm',
    summary: 'remove a tenant that nobody belongs to',
    args: 'TENANT',
    arity: [1, 1],
    flags: [OUTPUT],
    examples: ['fleet tenant rm acme'],
    notes:
      'Refused (exit 8) while users on hosts are bound to it, operators or peers’ agents are its own, or grants name it. Unused\n' +
      'tokens and invitations for it are void. What happened to its agents stays in the events for their 7 days, also for\n' +
      'another tenant of that name.',
    load: async () => (await tenants()).rm,
  },
  {
    name: 'tenant bind',
    summary: 'say whose the agents of a user on a host are',
    args: 'TENANT HOST/USER',
    arity: [2, 2],
    flags: [OUTPUT],
    examples: ['fleet tenant bind acme dragon-lin/jwoltje', 'fleet tenant bind acme jwoltje@dragon-lin'],
    notes: `${MOVES}\nA user that is not enrolled yet will be that tenant’s once it is. HOST is the name in the cell.`,
    load: async () => (await tenants()).bind,
  },
  {
    name: 'tenant unbind',
    summary: 'give the agents of a user on a host back to the tenant default',
    args: 'HOST/USER',
    arity: [1, 1],
    flags: [OUTPUT],
    examples: ['fleet tenant unbind dragon-lin/jwoltje'],
    notes: MOVES,
    load: async () => (await tenants()).unbind,
  },
];
