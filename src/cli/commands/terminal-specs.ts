/** The verbs that show an agent's screen: what help, completion and the parser know of them. */
import type { CommandSpec } from '../command.ts';

const terminal = () => import('./terminal.ts');

export const terminalSpecs: readonly CommandSpec[] = [
  {
    name: 'watch',
    streams: true,
    summary: 'live screen of an agent, read-only; of several, a grid',
    args: 'AGENT…',
    arity: [1, 64],
    flags: [
      { name: 'once', type: 'boolean', help: 'the screen as it is now, then leave; one agent' },
      {
        name: 'output',
        short: 'o',
        type: 'string',
        value: 'FORM',
        choices: ['text', 'ansi', 'json', 'ndjson'],
        help: 'with --once (default ansi on a terminal with colours, else text); ndjson also without it',
      },
      {
        name: 'fps',
        type: 'string',
        value: 'N',
        default: '30',
        help: 'at most so many frames a second, 1 to 60; the tiles of a grid share them',
      },
    ],
    examples: [
      'fleet watch coder0-0',
      'fleet watch dragon-lin/coder0-0 canary-pi',
      'fleet watch --once -o text coder0-0 | grep -i error',
    ],
    notes:
      'Nothing that you type reaches the agent, and its size stays its own: what does not fit is cut, around the cursor.\n' +
      'Keys: arrows or hjkl, page up/down, g, G move; f follows the cursor again; in a grid Tab or arrows choose, Enter\n' +
      'zooms and goes back; q or ctrl-c leaves. After a break it goes on by itself; the last picture stays, dimmed.\n' +
      'On a pipe: one JSON object a line, {schema: fleet.screen/v1, event: frame|status|end, address, …}; a frame has\n' +
      'width, height, cursor {x, y, visible}, alternate_screen, captured_at, title, history_lines, rows (text, whole).\n' +
      '--once -o json: one object of that schema without event: a frame, its spans and its status.\n' +
      'Exit: 0 its session ended (stderr says why) or you left, 4 no such agent, 5 no host-agent answers, or the\n' +
      'picture is the last one of a host that is away (--once shows it), 6 not permitted, 7 no screen within 10 s\n' +
      '(--once), 143 ended by a signal.',
    load: async () => (await terminal()).watch,
  },
  {
    name: 'tail',
    streams: true,
    summary: 'last lines of an agent as text, also those before it ended',
    args: 'AGENT',
    arity: [1, 1],
    flags: [
      {
        name: 'lines',
        short: 'n',
        type: 'string',
        value: 'N',
        help: 'how many, 0 to 10000 (default 20; of a run that is over all that were kept)',
      },
      { name: 'follow', short: 'f', type: 'boolean', help: 'go on with those that come, also after a break' },
      {
        name: 'last-run',
        type: 'string',
        bare: '1',
        value: 'N',
        help: 'what it showed before it ended: its last run, or --last-run=2 the one before',
      },
      { name: 'runs', type: 'boolean', help: 'list the runs that are over, newest first' },
      {
        name: 'output',
        short: 'o',
        type: 'string',
        value: 'FORM',
        choices: ['text', 'json', 'ndjson'],
        default: 'text',
        help: 'text, or one {schema: fleet.lines/v1, event: line|end, address, line} a line; json of runs that are over',
      },
    ],
    examples: [
      'fleet tail coder0-0',
      'fleet tail coder --last-run',
      'fleet tail -n 200 -f dragon-lin/coder0-0 | grep --line-buffered -i error',
    ],
    notes:
      'Runs that are over are kept by the host (the last five, 200 lines each) of agents that fleet launched, also when\n' +
      'they run again or have no session; stderr says when and how each ended.\n' +
      'Of a full-screen program these are the lines of its screen, since it has no history; stderr says so, and how many\n' +
      'lines were missed. Exit: 0 told, its session ended, or you left, 4 no such agent, 5 unreachable, 6 not permitted.',
    load: async () => (await terminal()).tail,
  },
];
