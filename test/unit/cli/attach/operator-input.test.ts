import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keyWords, parseDetachKey } from '../../../../src/cli/attach/detach-key.ts';
import { isInside } from '../../../../src/cli/attach/inside.ts';
import { OperatorInput } from '../../../../src/cli/attach/operator-input.ts';
import type { KeyStroke } from '../../../../src/domain/key-stroke.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const open = (detachKey = 'C-]') => {
  const typed: KeyStroke[] = [];
  let left = 0;
  const onDetach = () => {
    left += 1;
  };
  const input = new OperatorInput({ detachKey, onStrokes: (strokes) => typed.push(...strokes), onDetach });
  return { typed, left: () => left, take: (text: string) => input.take(Buffer.from(text)), input };
};

test('a lone Escape is typed after a while, and not when a key’s bytes come late', () => {
  const { typed, take } = open();
  take('\x1b');
  vi.advanceTimersByTime(40);
  expect(typed).toEqual([]);
  take('[A');
  expect(typed).toEqual([{ key: 'Up' }]);
  take('\x1b');
  vi.advanceTimersByTime(60);
  expect(typed).toEqual([{ key: 'Up' }, { key: 'Escape' }]);
});

test('the detach key leaves once: what stands before it is typed, what comes after it is not', () => {
  const { typed, take, left } = open();
  take('ls\r\x1d\x1drm');
  take('more\x1d');
  expect(typed).toEqual([{ text: 'ls' }, { key: 'Enter' }]);
  expect(left()).toBe(1);
});

test('a detach key inside a paste is text', () => {
  const { typed, take, left } = open();
  take('\x1b[200~a\x1db\x1b[201~');
  expect(typed).toEqual([{ paste: 'a\x1db' }]);
  expect(left()).toBe(0);
});

test('Escape itself may be the detach key', () => {
  const { take, left, typed } = open('Escape');
  take('\x1b');
  vi.advanceTimersByTime(60);
  expect([left(), typed]).toEqual([1, []]);
});

test('after its end nothing is typed, a waiting Escape neither', () => {
  const { typed, take, input } = open();
  take('\x1b');
  input[Symbol.dispose]();
  vi.advanceTimersByTime(60);
  take('x');
  expect(typed).toEqual([]);
});

test.for([
  ['C-]', 'C-]'],
  ['ctrl-]', 'C-]'],
  ['Ctrl-A', 'C-a'],
  ['^\\', 'C-\\'],
  ['^Q', 'C-q'],
  ['F12', 'F12'],
  ['M-q', 'M-q'],
])('--detach-key %s is %s', ([typed, key]) => expect(parseDetachKey(typed as string)).toBe(key));

test.for(['q', '', '^', 'Enter', 'Up', 'S-Enter', 'C-b d'])('--detach-key %j is refused', (typed) =>
  expect(() => parseDetachKey(typed)).toThrow(/--detach-key/),
);

test('a key is named for people', () => {
  expect(['C-]', 'M-q', 'F12'].map(keyWords)).toEqual(['ctrl-]', 'alt-q', 'F12']);
});

test('a program knows in which process tree it runs', () => {
  expect(isInside(process.pid)).toBe(true);
  expect(isInside(process.ppid)).toBe(true);
  expect(isInside(0x7fffffff)).toBe(false);
});
