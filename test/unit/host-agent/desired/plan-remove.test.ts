import { expect, test } from 'vitest';
import { planRemove } from '../../../../host-agent/desired/plan-remove.ts';
import { leftOf } from '../../../../host-agent/desired/remove.ts';
import type { RemoveFacts } from '../../../../host-agent/desired/remove-facts.ts';
import { asItShouldBe, asOperatorHasIt, DOWN, NO_UNIT } from './facts.ts';

const { unit, file, own } = asItShouldBe();
const WHOLE: RemoveFacts = {
  unit,
  file,
  own,
  isDeclared: true,
  hasSession: true,
  hasLaunchFiles: true,
  hasRecords: true,
};
const NOTHING: RemoveFacts = {
  unit: NO_UNIT,
  file: { ...file, state: null },
  own: { kind: 'none', text: null, changedMs: 0 },
  isDeclared: true,
  hasSession: false,
  hasLaunchFiles: false,
  hasRecords: false,
};
const kinds = (facts: RemoveFacts, purge = false): string[] => planRemove(facts, { purge }).map(({ is }) => is);

test('it is ended, disabled, and deleted; what its operator wrote stays unless it is purged', () => {
  expect(kinds(WHOLE)).toEqual(['stop', 'disable', 'delete-unit', 'reload', 'forget']);
  expect(kinds(WHOLE, true)).toEqual(['stop', 'disable', 'delete-unit', 'reload', 'forget', 'purge']);
});

test('of an operator’s own unit nothing is deleted', () => {
  const theirs = { ...WHOLE, ...asOperatorHasIt(), hasLaunchFiles: false };
  expect(kinds(theirs)).toEqual(['stop', 'disable', 'reload']);
});

test('a session without its unit is ended all the same', () => {
  expect(kinds({ ...NOTHING, hasSession: true })).toEqual(['end-session']);
});

test('what is gone takes no step, and a removal that was cut off is finished by the next one', () => {
  expect(kinds(NOTHING, true)).toEqual([]);
  expect(kinds({ ...WHOLE, unit: DOWN, hasSession: false })).toEqual(['disable', 'delete-unit', 'reload', 'forget']);
  expect(kinds({ ...NOTHING, hasLaunchFiles: true, isDeclared: false })).toEqual(['forget']);
});

test('what no roster names is removed only where fleet wrote its unit', () => {
  expect(kinds({ ...WHOLE, isDeclared: false })).toContain('delete-unit');
  const theirs = { ...WHOLE, ...asOperatorHasIt(), isDeclared: false };
  expect(() => kinds(theirs)).toThrow(/no roster of this host names it, and fleet did not write/);
});

test('it is removed when it neither runs nor comes back', () => {
  expect(leftOf(NOTHING)).toBeNull();
  expect(leftOf({ ...NOTHING, unit: DOWN, file: { ...file, state: 'disabled' } })).toBeNull();
  expect(leftOf({ ...NOTHING, hasSession: true })).toMatch(/session/);
  expect(leftOf({ ...NOTHING, unit })).toMatch(/is active/);
  expect(leftOf({ ...NOTHING, unit: DOWN, file })).toMatch(/still enabled/);
  expect(leftOf({ ...NOTHING, own })).toMatch(/still there/);
});
