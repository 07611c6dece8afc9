import { expect, test } from 'vitest';
import { HOLDER_UNIT, holderKey, holderUnitOf } from '../../../src/domain/holder.ts';

test('the key of a holder names its unit, and is no row’s', () => {
  expect(holderUnitOf(holderKey())).toBe(HOLDER_UNIT);
  expect(holderUnitOf(holderKey('other-holder.service'))).toBe('other-holder.service');
});

test.each([
  'roster:coder',
  'tmux:/tmp/s:1:2:$3',
  'holder:',
  'holder:*',
  'holder:a b.service',
  `holder:${'a'.repeat(200)}.service`,
])('%j is none', (key) => expect(holderUnitOf(key)).toBeNull());
