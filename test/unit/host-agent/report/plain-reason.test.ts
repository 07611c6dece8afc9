import { expect, test } from 'vitest';
import { plainReason } from '../../../../host-agent/report/plain-reason.ts';

test('what went wrong is told without the library’s account of it', () => {
  const details =
    'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:7443. Resolution note: ';
  expect(plainReason(details)).toBe('connect ECONNREFUSED 127.0.0.1:7443');
  expect(plainReason('No connection established. Last error: null. Resolution note: ')).toBe('no connection');
  expect(plainReason('Keepalive ping timeout')).toBe('Keepalive ping timeout');
});
