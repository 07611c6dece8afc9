import { expect, test } from 'vitest';
import { countingHeartbeat, type HeartbeatSeen, heartbeatFacts } from '../../../src/domain/heartbeat.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const seen = (ageMs: number, over: Partial<HeartbeatSeen> = {}): HeartbeatSeen => ({
  invalid: null,
  tsMs: NOW - ageMs,
  pid: 42,
  status: 'ok',
  model: null,
  source: 'sidecar',
  ...over,
});
const native = (ageMs: number) => seen(ageMs, { source: 'native', pid: 77, status: 'busy' });

test('no file is missing, whatever the clock says', () => {
  expect(heartbeatFacts(null, NOW)).toEqual({ state: 'missing', tsMs: null, status: null, pid: null, source: null });
});

test.each([
  [0, 15_000, 'healthy'],
  [45_000, 15_000, 'healthy'],
  [45_001, 15_000, 'stale'],
  [45_001, 20_000, 'healthy'],
  [6_001, 2_000, 'stale'],
])('an age of %d ms at an interval of %d ms is %s', (ageMs, intervalMs, state) => {
  expect(heartbeatFacts(seen(ageMs), NOW, intervalMs)).toMatchObject({ state, tsMs: NOW - ageMs, pid: 42 });
});

test('a beat slightly ahead of the clock is as old as now, one far ahead is invalid', () => {
  expect(heartbeatFacts(seen(-5_000), NOW)).toMatchObject({ state: 'healthy', tsMs: NOW });
  expect(heartbeatFacts(seen(-5_001), NOW)).toMatchObject({ state: 'invalid', tsMs: null, pid: null });
  expect(heartbeatFacts(seen(-3_600_000), NOW + 3_600_000)).toMatchObject({ state: 'healthy' });
});

test('a file that is no heartbeat is invalid, never missing', () => {
  const broken = seen(0, { invalid: 'x.hb is empty', tsMs: null, pid: null, status: null });
  expect(heartbeatFacts(broken, NOW)).toMatchObject({ state: 'invalid', source: 'sidecar' });
});

test.each([
  ['fresher than two intervals outranks a newer sidecar', 30_000, 1_000, 'native'],
  ['older than two intervals does not', 30_001, 1_000, 'sidecar'],
  ['older than two intervals still beats a sidecar that is no heartbeat', 30_001, null, 'native'],
  ['from the future does not', -60_000, 1_000, 'sidecar'],
] as const)('a native beat %s', (_, nativeAgeMs, sidecarAgeMs, source) => {
  const sidecar = sidecarAgeMs === null ? seen(0, { invalid: 'broken', tsMs: null }) : seen(sidecarAgeMs);
  const both = { ...sidecar, native: native(nativeAgeMs) };
  expect(countingHeartbeat(both, NOW)?.source).toBe(source);
  expect(heartbeatFacts(both, NOW)).toMatchObject({ source, pid: source === 'native' ? 77 : 42 });
});

test('the only beat there is counts even when old', () => {
  expect(heartbeatFacts(native(90_000), NOW)).toMatchObject({ state: 'stale', source: 'native' });
});
