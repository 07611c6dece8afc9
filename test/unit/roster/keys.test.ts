import { expect, test } from 'vitest';
import { nearestKey } from '../../../src/roster/keys.ts';

test.each([
  ['Modle-Hint', 'model_hint'],
  ['clas', 'class'],
  ['hsot', 'host'],
  ['xy', null],
  ['something_else_entirely', null],
])('the key nearest to %s is %s', (key, nearest) => {
  expect(nearestKey(key, ['model_hint', 'class', 'host', 'working_directory'])).toBe(nearest);
});
