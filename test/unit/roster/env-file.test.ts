import { describe, expect, test } from 'vitest';
import { parseEnvFile } from '../../../src/roster/env-file.ts';

describe('what an env file says', () => {
  test.each<[string, Record<string, string>]>([
    ['A=1\nB=two words\n', { A: '1', B: 'two words' }],
    ['export A=1\n  export\tB=2', { A: '1', B: '2' }],
    ['# A=1\n; B=2\n\nC=3', { C: '3' }],
    ['A=1 # why\nB=#no\nC=x#y\nD= # none', { A: '1', B: '#no', C: 'x#y', D: '' }],
    ['A="x # y"\nB=\'$HOME "q"\'', { A: 'x # y', B: '$HOME "q"' }],
    ['A="say \\"hi\\" \\$5 \\n"', { A: 'say "hi" $5 \\n' }],
    ['A="one\ntwo"\nB=3', { A: 'one\ntwo', B: '3' }],
    ['A=one\\\ntwo\nB=a\\ b', { A: 'onetwo', B: 'a b' }],
    ['A=pre\'mid\'"post"  ', { A: 'premidpost' }],
    ['A="  kept  "  \nB=  trimmed  ', { A: '  kept  ', B: 'trimmed' }],
    ['A=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['A=\nA=last', { A: 'last' }],
    ['A=a=b==\nconstructor=x\n__proto__=y', { A: 'a=b==', constructor: 'x', ['__proto__']: 'y' }],
    [
      'MOSAIC_HEARTBEAT_INTERVAL=0.5\nMOSAIC_TMUX_SOCKET=mosaic-fleet\nMOSAIC_HEARTBEAT_IDLE_THRESHOLD=',
      {
        MOSAIC_HEARTBEAT_INTERVAL: '0.5',
        MOSAIC_TMUX_SOCKET: 'mosaic-fleet',
        MOSAIC_HEARTBEAT_IDLE_THRESHOLD: '',
      },
    ],
    ['', {}],
    ['\n \t\n', {}],
  ])('%j', (text, values) => {
    const { values: read, problem } = parseEnvFile(text, 'a.env');
    expect([...read]).toEqual(Object.entries(values));
    expect(problem).toBeNull();
  });
});

describe('what is wrong in an env file is told with its place, and the rest of it counts', () => {
  test.each<[string, Record<string, string>, string]>([
    ['OK=1\nnothing\n', { OK: '1' }, 'a.env:2:1: this line is no assignment, and counts for nothing: write NAME=value'],
    [
      '=z\r\n  A-B=y\r\nOK=1',
      { OK: '1' },
      'a.env:1:1: this line is no assignment, and counts for nothing: write NAME=value (and 1 more)',
    ],
    ['A=1\nB="never closed\nC=2', { A: '1', B: '"never closed', C: '2' }, 'a.env:2:3: this quote is never closed'],
    ["A=x\nB=don't", { A: 'x', B: "don't" }, 'a.env:2:6: this quote is never closed'],
    [
      'MOSAIC_HEARTBEAT_INTERVAL=never\n',
      { MOSAIC_HEARTBEAT_INTERVAL: 'never' },
      'a.env:1:27: MOSAIC_HEARTBEAT_INTERVAL: `never` is no number of seconds above 0',
    ],
    [
      'MOSAIC_TMUX_SOCKET=../other\n',
      { MOSAIC_TMUX_SOCKET: '../other' },
      'a.env:1:20: MOSAIC_TMUX_SOCKET: `../other` is no socket name: it takes no `/` and no blanks',
    ],
  ])('%j', (text, values, problem) => {
    const read = parseEnvFile(text, 'a.env');
    expect(Object.fromEntries(read.values)).toEqual(values);
    expect(read.problem).toBe(problem);
  });
});

test.each(['A=1\nB=\0', 'A=\ufffd', 'A=\u001b[31m'])(
  'a file that is no text counts for nothing, as with systemd: %j',
  (text) => {
    const { values, problem } = parseEnvFile(text, 'a.env');
    expect(values.size).toBe(0);
    expect(problem).toMatch(/^a\.env:[12]:3: here is a byte that belongs in no text: nothing in this file counts$/);
  },
);

test('a line that is no assignment may be a secret: it is shown to nobody', () => {
  const { problem } = parseEnvFile('OPENAI_API_KEY sk-very-secret\n', 'a.env');
  expect(problem).toContain('a.env:1:1');
  expect(problem).not.toContain('sk-');
});
