import { expect, test } from 'vitest';
import { newLines } from '../../../../src/cli/tail/overlap.ts';

test.each([
  ['nothing new', ['a', 'b', 'c'], ['b', 'c'], [], true],
  ['some new', ['a', 'b', 'c'], ['b', 'c', 'd', 'e'], ['d', 'e'], true],
  ['more history than was told', ['b', 'c'], ['a', 'b', 'c', 'd'], ['d'], true],
  ['one told line left', ['a', 'b', 'c'], ['c', 'd'], ['d'], true],
  ['nothing in common', ['a', 'b'], ['x', 'y'], ['x', 'y'], false],
  ['nothing told yet', [], ['x'], ['x'], true],
  ['nothing there now', ['a'], [], [], true],
])('%s', (_, told, now, lines, isWhole) => {
  expect(newLines(told, now)).toEqual({ lines, isWhole });
});
