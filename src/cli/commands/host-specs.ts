/** The verbs that put daemons on machines: what help, completion and the parser know of them. */
import { CONTROL_LEVELS } from '../../domain/host-agent.ts';
import type { CommandSpec, FlagSpec } from '../command.ts';
import { OUTPUT } from './output-flag.ts';

export const machines = () => import('./machines.ts');

const CONTROL: FlagSpec = {
  name: 'control',
  type: 'string',
  value: 'POLICY',
  choices: CONTROL_LEVELS,
  help: 'what this host lets others do; the host itself enforces it (new hosts: lifecycle)',
};

const DRY_RUN: FlagSpec = { name: 'dry-run', type: 'boolean', help: 'say what would be done and change nothing' };
const YES: FlagSpec = { name: 'yes', short: 'y', type: 'boolean', help: 'do not ask' };
const PORT: FlagSpec = {
  name: 'port',
  short: 'p',
  type: 'string',
  value: 'PORT',
  help: 'ssh port (default: ssh_config)',
};
const IDENTITY: FlagSpec = {
  name: 'identity',
  short: 'i',
  type: 'string',
  value: 'FILE',
  help: 'ssh private key (default: ssh_config, ssh-agent)',
};
const HOST_KEY: FlagSpec = {
  name: 'host-key',
  type: 'string',
  value: 'SHA256:…',
  help: 'accept this host key where ssh does not know the machine yet; kept in a file of our own',
};

export const hostSpecs: CommandSpec[] = [
  {
    name: 'up',
    only: 'machine',
    summary: 'start controller and host-agent on this machine',
    args: '',
    arity: [0, 0],
    flags: [
      { name: 'name', type: 'string', value: 'HOST', help: "this machine's name in the cell (default: its hostname)" },
      { name: 'cell', type: 'string', value: 'NAME', help: 'name of a new cell (default: home)' },
      {
        name: 'listen',
        type: 'string',
        value: 'ADDR:PORT',
        help: 'open the controller there too (default: loopback until the first host add)',
      },
      { name: 'port', type: 'string', value: 'PORT', help: 'port of a new controller, 1024 to 65535 (default: 7443)' },
      CONTROL,
      { name: 'new-cell', type: 'boolean', help: 'start a controller although this host is enrolled with another' },
    ],
    examples: ['fleet up', 'fleet up --name W-jarvis --listen 0.0.0.0:7443'],
    notes:
      'User units where there is a user manager, detached processes elsewhere; the data are the same.\n' +
      'Nothing is asked, sessions are never touched, a second run changes nothing.',
    load: async () => (await machines()).up,
  },
  {
    name: 'down',
    only: 'machine',
    summary: 'stop controller and host-agent on this machine',
    args: '',
    arity: [0, 0],
    flags: [
      {
        name: 'uninstall',
        type: 'boolean',
        help: 'and remove what fleet put here, with the cell of a controller here',
      },
      { name: 'force', type: 'boolean', help: 'also while other hosts are in that cell, or it does not answer' },
      YES,
      DRY_RUN,
    ],
    examples: ['fleet down', 'fleet down --uninstall --dry-run'],
    notes:
      'Sessions and agents stay as they are, and without --uninstall linger and all data.\n' +
      'It removes units, versions, state, settings, keys and logins, and linger that came with them. Rosters and the\n' +
      'files of this user stay, and what the units of agents need that fleet launched: fleet rm them first.',
    load: async () => (await machines()).down,
  },
  {
    name: 'host add',
    only: 'machine',
    summary: 'install and enrol a host-agent over ssh',
    args: 'USER@MACHINE',
    arity: [1, 1],
    flags: [
      { name: 'name', type: 'string', value: 'HOST', help: "the machine's name in the cell (default: its hostname)" },
      {
        name: 'tenant',
        type: 'string',
        value: 'TENANT',
        help: 'to whom its agents belong (default: whose it is bound to be, else default)',
      },
      CONTROL,
      {
        name: 'link',
        type: 'string',
        value: 'HOW',
        choices: ['auto', 'dial', 'ssh'],
        default: 'auto',
        help: 'how it reaches the controller: it dials, or a reverse ssh tunnel kept up from here; auto dials if it can',
      },
      { name: 'listen', type: 'string', value: 'ADDR:PORT', help: 'where the controller opens beyond loopback' },
      {
        name: 'advertise',
        type: 'string',
        multiple: true,
        value: 'ADDR',
        help: 'further name or address under which hosts may reach the controller',
      },
      { name: 'replace', type: 'boolean', help: 'take over a name or a machine that is enrolled already' },
      PORT,
      IDENTITY,
      HOST_KEY,
      DRY_RUN,
    ],
    examples: ['fleet host add jwoltje@dragon-lin', 'fleet host add jwoltje@10.0.0.7 --name dragon-lin --link ssh'],
    notes:
      'One ssh connection, never a password prompt. A second run changes nothing; an interrupted one can be repeated.',
    load: async () => (await machines()).hostAdd,
  },
  {
    name: 'host rm',
    only: 'machine',
    summary: 'revoke a host and remove what was installed on it',
    args: 'HOST | USER@MACHINE',
    arity: [1, 1],
    flags: [
      { name: 'forget', type: 'boolean', help: 'only revoke it here: the machine cannot be reached any more' },
      PORT,
      IDENTITY,
      YES,
      DRY_RUN,
    ],
    examples: ['fleet host rm dragon-lin', 'fleet host rm dragon-lin --forget'],
    notes:
      "Removes every file, unit and key line that host add made. Sessions and the operator's files stay; and while there are agents that fleet launches, what their units need.",
    load: async () => (await machines()).hostRm,
  },
  {
    name: 'host upgrade',
    only: 'machine',
    summary: 'bring hosts to this version, over ssh, one at a time',
    args: '[HOST…]',
    arity: [0, 999],
    flags: [
      {
        name: 'deadline',
        type: 'string',
        value: 'SECONDS',
        default: '60',
        help: 'how long the new host-agent may take to report before the host goes back to what it ran',
      },
      OUTPUT,
      PORT,
      IDENTITY,
      YES,
      DRY_RUN,
    ],
    examples: ['fleet host upgrade', 'fleet host upgrade dragon-lin --dry-run', 'fleet host upgrade --yes -o json'],
    notes:
      'Without names: this machine, as fleet up does it, then every host that was added over ssh from here; USER@MACHINE\n' +
      'names one that was not. Sessions, rosters and settings stay as they are: agents go on under the launcher that\n' +
      'started them, and are flagged VERSION-SKEW where that is another version. A host whose new host-agent does not\n' +
      'report goes back by itself, also when this command was cut off from it, and no further host is begun. An\n' +
      'interrupted run can be repeated.\n' +
      'Exit: 0 all run this version, 1 one went back, 3 some do and some do not, or that of the one failure.',
    load: async () => (await machines()).hostUpgrade,
  },
  {
    name: 'host prune',
    only: 'machine',
    summary: 'remove installed versions that nothing uses',
    args: '',
    arity: [0, 0],
    flags: [],
    examples: ['fleet host prune'],
    hidden: true,
    load: async () => (await machines()).hostPrune,
  },
  {
    name: 'host join',
    only: 'machine',
    summary: 'enrol this machine with a token from stdin, without ssh',
    args: '',
    arity: [0, 0],
    flags: [CONTROL, { name: 'replace', type: 'boolean', help: 'leave the cell in which this host is enrolled now' }],
    examples: [
      'fleet token dragon-lin --user jwoltje | ssh jwoltje@dragon-lin fleet host join',
      'fleet host join < token',
    ],
    notes: 'The token is read from stdin: arguments are visible to every user of the machine.',
    load: async () => (await machines()).hostJoin,
  },
  {
    name: 'host allow',
    summary: 'what callers on a host may do to agents elsewhere; needs the controller’s own user, or an admin',
    args: 'HOST[/USER] VERB…',
    arity: [1, 9],
    words: { VERB: ['send', 'lifecycle', 'deploy', 'takeover'] },
    flags: [
      { name: 'none', type: 'boolean', help: 'back to the default: nothing beyond their own host and user' },
      OUTPUT,
    ],
    examples: [
      'fleet host allow W-jarvis send',
      'fleet host allow dragon-lin/jwoltje send takeover',
      'fleet host allow W-jarvis --none',
    ],
    notes:
      'Replaces what was allowed before, and prints what is allowed now. Every agent on that host is a process of its\n' +
      'user and may do it, too; each target host’s own policy still has the last word. Without /USER: all its users.',
    load: async () => (await machines()).hostAllow,
  },
  {
    name: 'host quarantine',
    summary: 'let a host report and nothing else; needs the controller’s own user, or an admin',
    args: 'HOST',
    arity: [1, 1],
    flags: [
      { name: 'user', type: 'string', value: 'USER', help: 'only that user’s host-agent (default: all of that host)' },
      { name: 'lift', type: 'boolean', help: 'let it out again' },
      OUTPUT,
    ],
    examples: ['fleet host quarantine dragon-lin', 'fleet host quarantine dragon-lin --user jwoltje --lift'],
    notes:
      'Counts at once: what its callers have open is cut, what they ask is refused (exit 8), and nobody’s orders go there\n' +
      '(exit 8, nothing typed). Its rows and screens are still seen, so that it can be looked into. Its agents, and what\n' +
      'its own user does on that machine, are not touched. A new certificate or token lets nobody out.',
    load: async () => (await machines()).hostQuarantine,
  },
  {
    name: 'host control',
    only: 'machine',
    summary: 'what a host lets others do: shown, or changed in the host’s own file',
    args: 'HOST [LEVEL]',
    arity: [1, 2],
    words: { LEVEL: CONTROL_LEVELS },
    flags: [
      {
        name: 'takeover',
        type: 'string',
        value: 'YESNO',
        choices: ['yes', 'no'],
        help: 'whether a person may type freely into its agents (fleet attach), where LEVEL lets anybody type',
      },
      {
        name: 'federated',
        type: 'string',
        value: 'LEVEL',
        choices: CONTROL_LEVELS.filter((level) => level !== 'deploy'),
        help: 'what callers of other cells may do, within what is granted to them (default: observe)',
      },
      {
        name: 'federated-takeover',
        type: 'string',
        value: 'YESNO',
        choices: ['yes', 'no'],
        help: 'the same as --takeover, for callers of other cells (default: no)',
      },
      PORT,
      IDENTITY,
      OUTPUT,
      DRY_RUN,
    ],
    examples: [
      'fleet host control dragon-lin',
      'fleet host control dragon-lin deploy',
      'fleet host control W-jarvis --takeover no',
      'fleet host control dragon-lin --federated send',
    ],
    notes:
      'On this host it writes the file itself, on another it goes over your own ssh, never over the fleet: whoever owns\n' +
      'the account there decides. Counts at once, for every caller; what else the file says is kept. HOST may be\n' +
      'HOST/USER, or USER@MACHINE for one that was not added from here.',
    load: async () => (await machines()).hostControl,
  },
];
