import { expect, test } from 'vitest';
import { hostFactsFromWire, hostFactsToWire } from '../../../src/wire/host-agent.ts';
import { hostFacts } from '../../helpers/host-agent.ts';

test('what a host says of itself is cut to what every reader can be given', () => {
  const said = hostFactsToWire(hostFacts());
  const taken = hostFactsFromWire({
    ...said,
    hostNowMs: Number.NaN,
    certificateNotAfterMs: Number.POSITIVE_INFINITY,
    version: 'v'.repeat(10_000),
    warnings: Array.from({ length: 1_000 }, () => 'w'.repeat(10_000)),
  });
  expect(taken.hostNowMs).toBe(0);
  expect(taken.certificateNotAfterMs).toBeNull();
  expect(taken.version.length).toBe(64);
  expect([taken.warnings.length, taken.warnings[0]?.length]).toEqual([16, 200]);
});

test('ordinary facts come through as they are', () => {
  expect(hostFactsFromWire(hostFactsToWire(hostFacts()))).toEqual(hostFacts());
});
