import { describe, expect, test } from 'vitest';
import { agent, problemOf } from './parsed.ts';

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
