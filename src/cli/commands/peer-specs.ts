/** The verbs about other cells: what help, completion and the parser know of them. */
import type { CommandSpec, FlagSpec } from '../command.ts';
import { OUTPUT } from './output-flag.ts';

const peers = () => import('./peers.ts');

const TENANT: FlagSpec = {
  name: 'tenant',
  type: 'string',
  multiple: true,
  value: 'TENANT',
  help: 'whose users here see what that cell grants (default default)',
};

export const peerSpecs: readonly CommandSpec[] = [
  {
    name: 'peer invite',
    summary: 'make an invitation with which another cell becomes a peer; needs the controller’s own user, or an admin',
    args: '[CELL]',
    arity: [0, 1],
    flags: [
      TENANT,
      { name: 'expires', type: 'string', value: 'TIME', default: '15m', help: 'how long it may be used, at most 15m' },
      OUTPUT,
    ],
    examples: ['fleet peer invite partner', 'fleet peer invite partner --tenant acme --expires 5m'],
    notes:
      'The invitation is a secret and is shown once, on stdout; it serves once. With CELL only the cell of that name can use\n' +
      'it, and an unused one for that cell is void from now on. Being a peer alone shows nobody anything: fleet grant add\n' +
      'does, on either side. fleet peer ls lists it until it is used or over; fleet peer rm withdraws it.',
    load: async () => (await peers()).peerInvite,
  },
  {
    name: 'peer accept',
    summary: 'become a peer of the cell that made this invitation; needs the controller’s own user, or an admin',
    args: '[TOKEN]',
    arity: [0, 1],
    flags: [TENANT, OUTPUT],
    examples: ['fleet peer accept < invitation', 'fleet peer accept --tenant acme < invitation'],
    notes:
      'Without TOKEN, or with -, it is read from stdin: arguments are visible to every user of the machine. This controller\n' +
      'dials the other one and knows it by the fingerprint in the invitation before it says anything. May be repeated with\n' +
      'the same invitation. fleet peer tenants changes later who sees it, also on the side that invited.',
    load: async () => (await peers()).peerAccept,
  },
  {
    name: 'peer ls',
    summary: 'peers: how the line to each stands, what it grants and is granted, certificates; needs an admin',
    args: '',
    arity: [0, 0],
    flags: [OUTPUT],
    examples: ['fleet peer ls', 'fleet peer ls -o json'],
    notes:
      'FROM is what they grant beside rows, TO what is granted to them. Compare fingerprints over a line that you trust.\n' +
      'A line that fails again and again is tried less and less often (NEXT), and calls to it fail at once meanwhile.',
    load: async () => (await peers()).peerLs,
  },
  {
    name: 'peer tenants',
    summary: 'whose users here see what a cell grants: shown, or changed; needs an admin',
    args: 'CELL [TENANT…]',
    arity: [1, 64],
    flags: [OUTPUT],
    examples: ['fleet peer tenants partner', 'fleet peer tenants partner acme beta'],
    notes:
      'Replaces those of before, and prints those of now. Counts at once: the rows come into one tenant’s lists and leave\n' +
      'another’s, and who watches them from there is cut. Grants, in either direction, stay as they are.',
    load: async () => (await peers()).peerTenants,
  },
  {
    name: 'peer rm',
    summary: 'end being peers, or withdraw an invitation, now; needs an admin',
    args: 'CELL',
    arity: [0, 1],
    flags: [
      { name: 'any', type: 'boolean', help: 'instead of CELL: withdraw the invitations that any cell could use' },
      { name: 'yes', short: 'y', type: 'boolean', help: 'do not ask' },
      OUTPUT,
    ],
    examples: ['fleet peer rm partner', 'fleet peer rm --any'],
    notes:
      'What that cell has open here is cut at once, its grants are revoked for ever, and its rows leave this view. The other\n' +
      'side sees this cell as revoked. To be peers again takes a new invitation and new grants. Of a cell that was invited\n' +
      'and has not come, the invitation is withdrawn; one that is over ends in the same way, with what was granted on it.',
    load: async () => (await peers()).peerRm,
  },
];
