import { expect, test } from 'vitest';
import {
  controlVerb,
  DESIRED_VERBS,
  LIFECYCLE_VERBS,
  ORDER_OUTCOMES,
  orderEffect,
  orderExitCode,
  orderWords,
} from '../../../src/domain/order.ts';

test('only what is proven ends with 0, and only what typed nothing says that it is safe to repeat', () => {
  for (const outcome of ORDER_OUTCOMES) {
    const codes = { proven: [0], nothing: [8, 4], something: [1], running: [7] }[orderEffect(outcome)];
    expect(codes, outcome).toContain(orderExitCode(outcome));
  }
});

test('an outcome says that nothing was typed exactly where that is so', () => {
  for (const outcome of ORDER_OUTCOMES) {
    expect(orderWords(outcome).includes('nothing was typed'), outcome).toBe(orderEffect(outcome) === 'nothing');
  }
});

test('an order that changes an agent never speaks of typing', () => {
  for (const verb of [...LIFECYCLE_VERBS, ...DESIRED_VERBS]) {
    for (const outcome of ['done', 'unverifiable', 'failed', 'busy', 'refused', 'gone'] as const) {
      expect(orderWords(outcome, verb), outcome).not.toContain('typed');
      expect(orderWords(outcome, verb).includes('nothing was changed')).toBe(orderEffect(outcome) === 'nothing');
    }
  }
  expect(['start', 'reset', 'deploy'].map(controlVerb)).toEqual(['start', 'reset', 'deploy']);
  expect(() => controlVerb('renew')).toThrow(/start, stop, restart, reset, deploy, remove, not "renew"/);
});

test('what a newer host says is never taken for success, nor for safe to repeat', () => {
  for (const outcome of ['delivered', '', 'toString', '__proto__']) {
    expect(orderExitCode(outcome)).toBe(1);
    expect(orderEffect(outcome)).toBe('something');
    expect(orderWords(outcome)).toContain('does not know');
  }
});
