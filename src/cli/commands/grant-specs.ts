/** The verbs about what other cells may see and do here: what help, completion and the parser know of them. */
import { GRANT_VERBS } from '../../domain/grant.ts';
import type { CommandSpec } from '../command.ts';
import { OUTPUT } from './output-flag.ts';

const grants = () => import('./grants.ts');

export const grantSpecs: readonly CommandSpec[] = [
  {
    name: 'grant add',
    summary: 'let a peer’s operators see, or steer, chosen agents of this cell',
    args: 'PEER',
    arity: [1, 1],
    flags: [
      {
        name: 'tenant',
        type: 'string',
        multiple: true,
        value: 'TENANT',
        help: 'whose agents; needed; a name, no pattern',
      },
      {
        name: 'host',
        type: 'string',
        multiple: true,
        value: 'PATTERN',
        help: "on which hosts: HOST or HOST/USER, * any characters, ? one; needed ('*': all)",
      },
      {
        name: 'agent',
        type: 'string',
        multiple: true,
        value: 'PATTERN',
        help: "which agents, by their names; needed ('*': all)",
      },
      {
        name: 'verb',
        type: 'string',
        multiple: true,
        value: 'VERB',
        choices: GRANT_VERBS,
        help: 'what may be done; needed; several, by commas; each includes observe',
      },
      {
        name: 'rows',
        type: 'string',
        value: 'N',
        default: '1000',
        help: 'agents that are shown by it at most, to 10000',
      },
      {
        name: 'expires',
        type: 'string',
        value: 'TIME',
        help: 'after this it is over: 12h, 7d; needed, and at most 30d, with send, lifecycle, takeover',
      },
      { name: 'dry-run', type: 'boolean', help: 'check it, and print the agents that it would show now' },
      OUTPUT,
    ],
    examples: [
      "fleet grant add partner --tenant acme --host 'dragon-*' --agent 'coder*' --verb observe --dry-run",
      "fleet grant add partner --tenant acme --host 'dragon-*' --agent 'coder*' --verb watch,send --expires 7d",
    ],
    notes:
      'observe: rows, without what screens show. watch: also screens, tail, explain. send: messages, keys, answers.\n' +
      'lifecycle: start, stop, restart, reset. takeover: attach. To deploy or to administer is never granted.\n' +
      'Grants add up, and are one-sided: what the peer grants this cell is its own affair. Each host’s own policy for\n' +
      'callers of other cells ("federated", default observe) has the last word. Agents of other peers are never shown.\n' +
      'Needs the controller’s own user, or an admin. Exit: 0 made, 2 wrong terms, 4 no such peer.',
    load: async () => (await grants()).grantAdd,
  },
  {
    name: 'grant ls',
    summary: 'grants to other cells: what they cover, how they stand, when they end',
    args: '[PEER]',
    arity: [0, 1],
    flags: [{ name: 'all', short: 'a', type: 'boolean', help: 'also those that expired or were revoked' }, OUTPUT],
    examples: ['fleet grant ls', 'fleet grant ls partner --all -o json'],
    notes:
      'Status: pending (the peer has not joined yet), active, expired, revoked. Needs the controller’s own user, or an admin.\n' +
      'Exit: 0 listed, also none; 4 no such peer.',
    load: async () => (await grants()).grantLs,
  },
  {
    name: 'grant show',
    summary: 'one grant whole, and the agents that it shows now',
    args: 'ID',
    arity: [1, 1],
    flags: [OUTPUT],
    examples: ['fleet grant show g1f0a2b3c4d'],
    load: async () => (await grants()).grantShow,
  },
  {
    name: 'grant revoke',
    summary: 'end grants for ever, with whatever lives by them',
    args: 'ID…',
    arity: [1, Number.MAX_SAFE_INTEGER],
    flags: [{ name: 'yes', short: 'y', type: 'boolean', help: 'do not ask' }, OUTPUT],
    examples: ['fleet grant revoke g1f0a2b3c4d --yes'],
    notes:
      'Streams, watches and takeovers by it end at once, and the peer is told that it was revoked. A grant does not come\n' +
      'back: add another one. Exit: 0 revoked, also before; 4 no such grant.',
    load: async () => (await grants()).grantRevoke,
  },
];
