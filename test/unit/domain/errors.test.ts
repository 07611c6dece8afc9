import { expect, test } from 'vitest';
import { FleetError } from '../../../src/domain/errors.ts';

test('an unreachable service may be asked again, a bad argument may not', () => {
  expect(new FleetError('UNAVAILABLE', 'x').retryable).toBe(true);
  expect(new FleetError('INVALID_ARGUMENT', 'x').retryable).toBe(false);
});
