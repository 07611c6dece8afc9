import { describe, expect, test } from 'vitest';
import { agent, agentsOf, problemOf, rosterOf } from './parsed.ts';

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

test('five hundred agents of many hosts are all kept, in order', () => {
  const lines = Array.from({ length: 500 }, (_, i) => `  - name: a${i}\n    runtime: pi\n    host: h${i % 7}\n`);
  const agents = agentsOf(`version: 1\nagents:\n${lines.join('')}`);
  expect(agents.map(({ name }) => name)).toEqual(lines.map((_, i) => `a${i}`));
  expect(agents[8]!.host).toBe('h1');
});
