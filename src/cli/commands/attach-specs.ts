/** `fleet attach`: the one verb with which a person types freely. Its code is loaded only when it runs. */
import type { CommandSpec } from '../command.ts';

export const attachSpecs: readonly CommandSpec[] = [
  {
    name: 'attach',
    summary: 'take over an agent: its screen here, and every key typed into it',
    args: 'AGENT',
    arity: [1, 1],
    flags: [
      { name: 'takeover', type: 'boolean', help: 'displace whoever has taken it over already; they are told by whom' },
      {
        name: 'resize',
        type: 'boolean',
        help: 'give the pane the size of this terminal until the end; else its own is cropped and panned',
      },
      {
        name: 'detach-key',
        type: 'string',
        value: 'KEY',
        default: 'C-]',
        help: 'the one key that is not typed but leaves, by its tmux name: C-], C-\\, F12',
      },
    ],
    examples: ['fleet attach coder0', 'fleet attach dragon-lin/coder0-0', 'fleet attach W-jarvis/canary-pi --takeover'],
    notes:
      'An agent on another machine needs at least HOST/AGENT. Watchers see who types; send to it is refused as busy.\n' +
      'It types into whatever runs in the pane, a shell too. It ends after 30 minutes without a key.\n' +
      'Exit: 0 left, or the session ended, 4 no such agent, 5 the line was lost, 6 not permitted,\n' +
      '8 somebody has it, was displaced, it expired, or the host’s policy forbids it.',
    load: () => import('./attach.ts'),
  },
];
