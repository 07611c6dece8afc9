import { describe, expect, test } from 'vitest';
import type { Roster, RosterAgent } from '../../../src/domain/roster.ts';
import { nearestKey } from '../../../src/roster/keys.ts';
import { parseRoster } from '../../../src/roster/parse.ts';
import { withLaunchSockets } from '../../../src/roster/socket-name.ts';

const rosterOf = (text: string): Roster => {
  const { roster, problem } = parseRoster(text, 'roster.yaml');
  expect(problem).toBeNull();
  return roster!;
};
const problemOf = (text: string): string | null => parseRoster(text, 'roster.yaml').problem;
const agentsOf = (text: string): RosterAgent[] => rosterOf(text).agents;

const V1 = `version: 1
transport: tmux
tmux:
  socket_name: mosaic-factory
defaults:
  working_directory: ~/src/fleet
runtimes:
  codex:
    reset_command: /clear
agents:
  - name: canary-pi
    runtime: pi
    class: canary
    model_hint: openai-codex/gpt-5.5:high
    persistent_persona: true
  - name: coder.2
    runtime: codex
    host: jwoltje@dragon-lin
    ssh: dragon
    socket: ''
    reset_between_tasks: true
    working_directory: /srv
    connector: matrix
`;

const agent = (lines: string, version = 1) => `version: ${version}\nagents:\n  - name: a\n    runtime: pi\n${lines}`;

describe('a good roster', () => {
  test('names that only tmux takes for one may stand on two sockets, or on two hosts', () => {
    const text = (more: string) =>
      `version: 1\nagents:\n- {name: a.b, runtime: pi}\n- {name: a_b, runtime: pi, ${more}}\n`;
    expect(problemOf(text('socket: s'))).toBeNull();
    expect(problemOf(text('host: other'))).toBeNull();
    expect(problemOf(text('socket: default'))).not.toBeNull();
  });

  test('of version 1 is read with its defaults', () => {
    const roster = rosterOf(V1);
    expect(roster).toMatchObject({
      version: 1,
      socketName: 'mosaic-factory',
      holderSession: '_holder',
      workingDirectory: '~/src/fleet',
      resetCommands: new Map([['codex', '/clear']]),
    });
    expect(roster.agents[0]).toEqual({
      name: 'canary-pi',
      runtime: 'pi',
      role: 'canary',
      host: null,
      user: null,
      ssh: null,
      socketName: 'mosaic-factory',
      model: 'openai-codex/gpt-5.5:high',
      effort: null,
      lifecycle: 'core',
      workingDirectory: '~/src/fleet',
      command: null,
      env: new Map(),
      layout: 'shared',
      connector: null,
      restart: null,
      envFile: null,
    });
    expect(roster.agents[1]).toMatchObject({
      host: 'dragon-lin',
      user: 'jwoltje',
      ssh: 'dragon',
      socketName: null,
      lifecycle: 'ephemeral',
      workingDirectory: '/srv',
      connector: 'matrix',
    });
  });

  test('says the same in camelCase and in JSON', () => {
    const camel = V1.replace(
      /\b(socket_name|working_directory|reset_command|model_hint|persistent_persona|reset_between_tasks)\b/g,
      (key) => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    );
    expect(camel).not.toEqual(V1);
    expect(rosterOf(camel)).toEqual(rosterOf(V1));
    const json = '{\n\t"version": 1,\n\t"agents": [{"name": "a", "runtime": "pi", "modelHint": "m"}]\n}';
    expect(agentsOf(json)[0]).toMatchObject({ name: 'a', model: 'm', workingDirectory: '~/src', socketName: null });
  });

  test('of version 2 has its own keys, per agent and as defaults', () => {
    const [first, second] = agentsOf(`version: 2
defaults: { lifecycle: core, restart: on-failure }
agents:
  - { name: a, runtime: pi, effort: high, env: { PORT: 80, workingDirectory: x }, env_file: ~/a.secrets }
  - { name: b, command: ./run, layout: shared, lifecycle: ephemeral, restart: always }
`);
    expect(first).toMatchObject({
      layout: 'isolated',
      lifecycle: 'core',
      effort: 'high',
      restart: 'on-failure',
      env: new Map([
        ['PORT', '80'],
        ['workingDirectory', 'x'],
      ]),
      envFile: '~/a.secrets',
    });
    expect(second).toMatchObject({
      runtime: null,
      command: './run',
      layout: 'shared',
      lifecycle: 'ephemeral',
      restart: 'always',
    });
  });

  test('what the defaults say holds for every agent that says nothing else; variables are joined', () => {
    const [first, second] = agentsOf(`version: 2
defaults: { layout: shared, effort: low, command: ./run, env: { A: 1, B: x }, env_file: ~/all.secrets }
agents:
  - { name: a }
  - { name: b, layout: isolated, effort: high, command: ./other, env: { B: y, C: true }, env_file: ~/b.secrets }
`);
    expect(first).toMatchObject({ layout: 'shared', effort: 'low', command: './run', envFile: '~/all.secrets' });
    expect([...first!.env]).toEqual(Object.entries({ A: '1', B: 'x' }));
    expect(second).toMatchObject({ layout: 'isolated', effort: 'high', command: './other', envFile: '~/b.secrets' });
    expect([...second!.env]).toEqual(Object.entries({ A: '1', B: 'y', C: 'true' }));
  });

  test('a key without a value is as if it were not there', () => {
    expect(agentsOf('version: 1\ntmux:\nagents:\n- name: a\n  runtime: pi\n  model_hint:\n')[0]!.model).toBeNull();
  });

  test('of version 2 may name nobody: whoever was last is taken out of it', () => {
    expect(agentsOf('version: 2\nagents: []\n')).toEqual([]);
    expect(problemOf('version: 2\nagents:\n')).toBe('roster.yaml:2:1: `agents` is missing');
  });

  test('a tag may say that a word is text', () => {
    expect(agentsOf(agent('    class: !!str 7\n'))[0]!.role).toBe('7');
    expect(agentsOf(agent('    class: ! 7\n'))[0]!.role).toBe('7');
  });

  test('anchors are followed', () => {
    const text = 'version: 1\nagents:\n- name: a\n  runtime: &r pi\n- name: b\n  runtime: *r\n';
    expect(agentsOf(text)[1]!.runtime).toBe('pi');
  });

  test('the same name on two hosts is two agents', () => {
    const text = 'version: 1\nagents:\n- {name: a, runtime: pi}\n- {name: a, runtime: pi, host: dragon-lin}\n';
    expect(agentsOf(text)).toHaveLength(2);
  });
});

describe('a bad roster is told with line and column', () => {
  test.each<[string, string]>([
    ['', '1:1: the roster is missing'],
    ['[]', '1:1: the roster must be a map of keys, not a list'],
    ['version: 1\nagents: []\n', '2:9: `agents` names no agent'],
    ['version: 1\n', '1:1: `agents` is missing'],
    ['agents:\n- {name: a, runtime: pi}\n', '1:1: `version` is missing'],
    ['version: 3\nagents:\n- {name: a, runtime: pi}\n', '1:10: `version` must be `1`, not `3`'],
    ['version: 1\ntransport: ssh\nagents:\n- {name: a, runtime: pi}\n', '2:12: `transport` must be `tmux`, not `ssh`'],
    ['version: 1\nagents:\n  - runtime: pi\n', '3:5: `agents[0].name` is missing'],
    ['version: 1\nagents:\n  - name: a\n', '3:5: `agents[0].runtime` is missing'],
    [
      'version: 1\nagents:\n  - name: 7\n    runtime: pi\n',
      '3:11: `agents[0].name` must be text, not `7`: put it in quotes',
    ],
    [
      'version: 1\nagents:\n  - name: a b\n    runtime: pi\n',
      '3:11: `a b` is no agent name: letters, digits, `_`, `.` and `-`, first a letter or digit, at most 63',
    ],
    [
      'version: 1\nagents:\n  - name: _holder\n    runtime: pi\n',
      '3:11: `_holder` is no agent name: letters, digits, `_`, `.` and `-`, first a letter or digit, at most 63',
    ],
    [
      'version: 1\ntmux: {holder_session: a}\nagents:\n- {name: a, runtime: pi}\n',
      "4:10: `a` is the holder session's name",
    ],
    ['version: 2\nagents:\n- {name: a.b, runtime: pi}\n', '3:10: `a.b`: tmux would rename it `a_b`'],
    ['version: 2\nagents:\n- {name: a}\n', '3:10: `a` needs a `runtime` or a `command`'],
    [
      'version: 1\nagents:\n- {name: a, runtime: pi}\n- {name: a, runtime: pi}\n',
      '4:10: `a` is there twice: agents[0] has that name too',
    ],
    [
      'version: 1\nagents:\n- {name: a.b, runtime: pi}\n- {name: a_b, runtime: pi}\n',
      '4:10: `a_b` and `a.b` are one session to tmux, `a_b`: rename one of them',
    ],
    [
      'version: 1\ntmux: {socket_name: s}\nagents:\n- {name: a_b, runtime: pi}\n- {name: a.b, runtime: pi, socket: s}\n',
      '5:10: `a.b` and `a_b` are one session to tmux, `a_b`: rename one of them',
    ],
    [
      'version: 1\ntmux: {holder_session: a.b}\nagents:\n- {name: a_b, runtime: pi}\n',
      "4:10: `a_b` is the holder session's name",
    ],
    [agent('    modle_hint: x\n'), '5:5: unknown key `modle_hint`; did you mean `model_hint`?'],
    [agent('    modelhint: x\n'), '5:5: unknown key `modelhint`; did you mean `model_hint`?'],
    ['version: 1\nagents:\n- nmae: a\n  runtime: pi\n', '3:3: unknown key `nmae`; did you mean `name`? (and 1 more)'],
    [agent('    zzz: x\n'), '5:5: unknown key `zzz`'],
    [agent('    effort: high\n'), '5:5: `effort` needs `version: 2` at the top'],
    [agent('    name: b\n'), '5:5: this key is there twice'],
    [
      agent('    model_hint: a\n    modelHint: b\n'),
      '6:5: `modelHint` says the same as `model_hint`, which is there too',
    ],
    [agent('    socket: /tmp/x\n'), '5:13: `/tmp/x` is no socket name: it takes no `/` and no blanks'],
    [agent('    host: a@b@c\n'), '5:11: `a@b@c` is no host or user@host'],
    [agent('    class: "a\\e[31m"\n'), '5:12: `agents[0].class` must be one line without control characters'],
    [agent('    class: *none\n'), '5:12: `*none` names nothing above it'],
    [agent('    ? [x]\n    : y\n'), '5:7: a key must be a plain word'],
    [agent('    class: !!int x\n'), '5:12: `!!int x` is no value that a roster may have'],
    [agent('    class: !mine x\n'), '5:12: `!mine x` is no value that a roster may have'],
    [
      agent('    connector: "irc\\u001b"\n'),
      '5:16: `agents[0].connector` must be `tmux` or `discord` or `matrix`, not `irc\ufffd`',
    ],
    [agent('    layout: side\n', 2), '5:13: `agents[0].layout` must be `isolated` or `shared`, not `side`'],
    [agent('    env: {A: [1]}\n', 2), '5:14: `agents[0].env.A` must be text, a number, true or false, not a list'],
    [agent('    env: {MOSAIC_AGENT_NAME: b}\n', 2), '5:30: `MOSAIC_AGENT_NAME` is set from `name`: write that'],
    ['version: 2\ndefaults: {env: {A: "\\0"}}\nagents:\n- {name: a, runtime: pi}\n', '2:21: `A` must not hold a NUL'],
    [agent('    command: "a\\0"\n', 2), '5:14: `agents[0].command` must not hold a NUL'],
    [agent('    env: {1A: x}\n', 2), '5:11: `agents[0].env.1A` is no name of a variable'],
    ['version: 1\nagents: [\n', '3:1: no valid YAML: deficient indentation'],
    ['version: 1\n---\nversion: 1\n', '2:1: a second document begins here; a roster is one'],
    [
      '{"version": 1, "agents": [{"name": "a" "runtime": "pi"}]}',
      '1:40: no valid YAML: missed comma between flow collection entries',
    ],
  ])('%j', (text, problem) => {
    expect(problemOf(text)).toBe(`roster.yaml:${problem}`);
  });

  test('nothing that acts upon a terminal is in what is told, though a library quotes the file', () => {
    expect(problemOf('version: 1\nagents:\n  - name: *\u202ea\n    runtime: pi\n')).toBe(
      'roster.yaml:3:11: `*\ufffda` names nothing above it',
    );
    expect(problemOf('version: 1\nagents:\n  - name: !!set "\\e[31m"\n')).toBe(
      'roster.yaml:3:11: `!!set \ufffd[31m` is no value that a roster may have',
    );
  });

  test('several faults are counted, the first one told', () => {
    const text = `${agent('    zzz: 1\n    model_hint: 5\n')}  - runtime: 1\n`;
    expect(problemOf(text)).toBe('roster.yaml:5:5: unknown key `zzz` (and 3 more)');
  });

  test('texts made to exhaust a reader are refused', () => {
    const laughs = Array.from(
      { length: 12 },
      (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(',')}]`,
    );
    expect(problemOf(`l0: &l0 [x]\n${laughs.join('\n')}\n`)).toMatch(
      /cannot be read: it holds more than 100000 values/,
    );
    expect(problemOf('a: &a [*a]\n')).toMatch(/^roster\.yaml:1:\d+: /);
    expect(problemOf('['.repeat(10_000))).toMatch(/^roster\.yaml:\d+:\d+: /);
    expect(problemOf('\u0000\u0001\ufffd')).toMatch(/^roster\.yaml:\d+:\d+: /);
  });

  test('names of our own objects are unknown keys like any other', () => {
    expect(problemOf(agent('    __proto__: 1\n'))).toMatch(/^roster\.yaml:5:5: unknown key `__proto__`/);
    expect(problemOf(agent('    constructor: 1\n'))).toMatch(/^roster\.yaml:5:5: unknown key `constructor`/);
  });
});

test('five hundred agents of many hosts are all kept, in order', () => {
  const lines = Array.from({ length: 500 }, (_, i) => `  - name: a${i}\n    runtime: pi\n    host: h${i % 7}\n`);
  const agents = agentsOf(`version: 1\nagents:\n${lines.join('')}`);
  expect(agents.map(({ name }) => name)).toEqual(lines.map((_, i) => `a${i}`));
  expect(agents[8]!.host).toBe('h1');
});

test("the launch's own socket outranks the roster's, whether the entry names this host or none", () => {
  const roster = rosterOf(
    'version: 1\ntmux: {socket_name: s}\nagents:\n- {name: a, runtime: pi}\n- {name: a, runtime: pi, host: h}\n- {name: b, runtime: pi}\n',
  );
  const env = new Map([['a', new Map([['MOSAIC_TMUX_SOCKET', 'mosaic-fleet']])]]);
  expect(withLaunchSockets(roster, env).agents.map(({ socketName }) => socketName)).toEqual([
    'mosaic-fleet',
    'mosaic-fleet',
    's',
  ]);
  const empty = new Map([['b', new Map([['MOSAIC_TMUX_SOCKET', '']])]]);
  expect(withLaunchSockets(roster, empty).agents.map(({ socketName }) => socketName)).toEqual(['s', 's', null]);
});

describe('the socket of an isolated agent', () => {
  const agents = (...lines: string[]) =>
    `version: 2\ntmux: {socket_name: s}\nagents:\n${lines.map((line) => `- ${line}\n`).join('')}`;

  test('is its own, whatever the roster names for all; a shared one has that of all', () => {
    const text = agents(
      '{name: a, runtime: pi}',
      '{name: b, runtime: pi, layout: shared}',
      '{name: c, runtime: pi, socket: x}',
    );
    expect(agentsOf(text).map(({ socketName }) => socketName)).toEqual(['fleet-a', 's', 'x']);
  });

  test.each(["''", 'default'])('is never tmux’s default one (%s)', (socket) => {
    expect(problemOf(agents(`{name: a, runtime: pi, socket: ${socket}}`))).toMatch(
      /^roster\.yaml:4:34: an isolated agent's server is its own, never tmux's default one: /,
    );
    expect(problemOf(agents(`{name: a, runtime: pi, layout: shared, socket: ${socket}}`))).toBeNull();
  });

  test.each([
    ['{name: a, runtime: pi, socket: x}', '{name: b, runtime: pi, socket: x}', '5:34', 'x'],
    ['{name: a, runtime: pi, layout: shared}', '{name: b, runtime: pi, socket: s}', '5:34', 's'],
    ['{name: a, runtime: pi, socket: fleet-b}', '{name: b, runtime: pi}', '5:10', 'fleet-b'],
  ])('is nobody else’s: %s beside %s', (a, b, place, socket) => {
    expect(problemOf(agents(a, b))).toBe(
      `roster.yaml:${place}: an isolated agent's server is its own, but \`a\` is on socket \`${socket}\` too`,
    );
    expect(problemOf(agents(a, b.replace('runtime', 'host: h, runtime')))).toBeNull();
  });
});

test.each([
  ['Modle-Hint', 'model_hint'],
  ['clas', 'class'],
  ['hsot', 'host'],
  ['xy', null],
  ['something_else_entirely', null],
])('the key nearest to %s is %s', (key, nearest) => {
  expect(nearestKey(key, ['model_hint', 'class', 'host', 'working_directory'])).toBe(nearest);
});
