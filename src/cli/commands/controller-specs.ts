/** The verbs about a cell's own controller: what help, completion and the parser know of them. */
import type { CommandSpec } from '../command.ts';
import { OUTPUT } from './output-flag.ts';

const controllerVerbs = () => import('./controller.ts');

export const controllerSpecs: readonly CommandSpec[] = [
  {
    name: 'controller status',
    summary: 'the cell, where its controller listens, its authority; needs the controller’s own user, or an admin',
    args: '',
    arity: [0, 0],
    flags: [OUTPUT],
    examples: ['fleet controller status'],
    load: async () => (await controllerVerbs()).status,
  },
  {
    name: 'controller backup',
    only: 'machine',
    summary: 'the whole controller in one file, made while it runs; needs the controller’s own user',
    args: 'FILE',
    arity: [1, 1],
    flags: [OUTPUT],
    examples: ['fleet controller backup ~/home.fleet-backup'],
    notes:
      'Database, keys of the cell, settings; mode 0600, read back before it gets its name, never over another file.\n' +
      'Whoever has the file can be the cell: keep it as you would keep its key. Not in it: ssh keys of tunnels, and\n' +
      'what host-agents keep themselves.',
    load: async () => (await controllerVerbs()).backup,
  },
  {
    name: 'controller restore',
    only: 'machine',
    summary: 'put a backup in its place, on a machine whose controller is stopped or that has none',
    args: 'FILE',
    arity: [1, 1],
    flags: [
      { name: 'force', type: 'boolean', help: 'also where a cell lives: its folder is kept beside, under a new name' },
    ],
    examples: ['fleet down && fleet controller restore ~/home.fleet-backup --force && fleet up'],
    notes:
      'Hosts come back by themselves where they find the controller at an address that they know. Hosts enrolled after\n' +
      'the backup join again; join tokens and invitations of before are void. What was taken away since stays so where the\n' +
      'folder that it takes the place of still tells it; else it is said that nobody knows. The audit says that it was\n' +
      'restored, and when.',
    load: async () => (await controllerVerbs()).restore,
  },
  {
    name: 'controller rotate-ca',
    summary: 'go over to a new authority, in steps, with no stream dropped',
    args: 'begin|switch|finish|abort|status',
    arity: [1, 1],
    flags: [
      { name: 'force', type: 'boolean', help: 'also where that leaves behind hosts or cells that are connected now' },
      { name: 'yes', short: 'y', type: 'boolean', help: 'do not ask' },
      OUTPUT,
    ],
    examples: [
      'fleet controller rotate-ca begin',
      'fleet controller rotate-ca switch',
      'fleet controller rotate-ca finish',
      'fleet controller rotate-ca status',
    ],
    notes:
      'begin makes the new authority here and tells every host and peer; nothing else changes, and abort takes it back.\n' +
      'switch lets it sign, once every connected host and cell trusts it; hosts renew within seconds. finish ends the trust\n' +
      'in the old one, once every connected host has renewed. Who is away comes back by itself if it was told of the new\n' +
      'authority; a host that was not joins again: fleet host add USER@MACHINE --replace; a cell is invited again: fleet peer\n' +
      'rm, invite. Join tokens and invitations made before the switch are void.\n' +
      'Exit: 0 done, 8 refused (not its turn, or hosts or cells would be left behind).',
    load: async () => (await controllerVerbs()).rotateCa,
  },
];
