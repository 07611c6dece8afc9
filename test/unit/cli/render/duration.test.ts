import { expect, test } from 'vitest';
import { coarse, fine, signed } from '../../../../src/cli/render/duration.ts';

test.each([
  [0, '0s', '0s'],
  [0.9, '0s', '0s'],
  [59, '59s', '59s'],
  [60, '1m', '1m'],
  [61, '1m', '1m01s'],
  [192, '3m', '3m12s'],
  [3_599, '59m', '59m59s'],
  [7_500, '2h', '2h05m'],
  [86_399, '23h', '23h59m'],
  [273_600, '3d', '3d04h'],
  [31_536_000, '365d', '365d'],
])('%d s is %s, finely %s', (seconds, roughly, finely) => {
  expect(coarse(seconds)).toBe(roughly);
  expect(fine(seconds)).toBe(finely);
});

test.each([
  [0, '0s'],
  [41, '+41s'],
  [-3_600, '-1h'],
])('a difference of %d s is %s', (seconds, text) => {
  expect(signed(seconds)).toBe(text);
});
