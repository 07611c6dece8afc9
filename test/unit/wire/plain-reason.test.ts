import { expect, test } from 'vitest';
import { plainReason } from '../../../src/wire/plain-reason.ts';

test('what went wrong is told without the library’s account of it', () => {
  const details =
    'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:7443. Resolution note: ';
  expect(plainReason(details)).toBe('connect ECONNREFUSED 127.0.0.1:7443');
  const local = 'connect ENETUNREACH 10.0.0.1:7443 - Local (0.0.0.0:0). Resolution note: ';
  expect(plainReason(`No connection established. Last error: Error: ${local}`)).toBe(
    'connect ENETUNREACH 10.0.0.1:7443',
  );
  expect(plainReason('No connection established. Last error: null. Resolution note: ')).toBe('no connection');
  expect(plainReason('Keepalive ping timeout')).toBe('Keepalive ping timeout');
});
