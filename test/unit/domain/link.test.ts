import { expect, test } from 'vitest';
import { isCurrent, judgeLink, type LinkEvidence } from '../../../src/domain/link.ts';

const evidence = (over: Partial<LinkEvidence> = {}): LinkEvidence => ({
  knownSinceMono: 0,
  streamOpen: true,
  heardAtMono: 0,
  closedBecause: null,
  closedAtMono: null,
  duplicate: false,
  ...over,
});
const closed = { streamOpen: false, closedAtMono: 0 } as const;

test.each([
  ['heard just now', evidence(), 100, 'connected', null],
  ['a beat missed is not yet silence', evidence(), 4_900, 'connected', null],
  ['silent on an open stream', evidence(), 5_000, 'resuming', 'silent'],
  ['silent for long', evidence(), 12_000, 'lost', 'silent'],
  [
    'stream closed a moment ago',
    evidence({ ...closed, closedBecause: 'stream_closed' }),
    200,
    'resuming',
    'stream_closed',
  ],
  ['stream closed long ago', evidence({ ...closed, closedBecause: 'stream_closed' }), 12_000, 'lost', 'stream_closed'],
  ['said goodbye', evidence({ ...closed, closedBecause: 'stopped' }), 10, 'lost', 'stopped'],
  ['revoked', evidence({ ...closed, closedBecause: 'revoked' }), 10, 'lost', 'revoked'],
  ['two instances', evidence({ duplicate: true }), 10, 'connected', 'duplicate_identity'],
] as const)('%s', (_, given, now, state, reason) => {
  expect(judgeLink(given, null, now)).toEqual({ state, reason });
});

test('after the start of the controller a host is unconfirmed until it speaks or the window ends', () => {
  const never = evidence({ streamOpen: false, heardAtMono: null });
  const grace = { sinceMono: 0, reason: 'controller_started' } as const;
  expect(judgeLink(never, grace, 14_999)).toEqual({ state: 'unconfirmed', reason: 'controller_started' });
  expect(judgeLink(never, grace, 15_000)).toEqual({ state: 'lost', reason: 'silent' });
  expect(judgeLink(evidence({ heardAtMono: 3_000 }), grace, 3_100).state).toBe('connected');
});

test('a host that was enrolled a moment ago and has not spoken yet is not lost: it has the time that silence has', () => {
  const fresh = evidence({ knownSinceMono: 100_000, streamOpen: false, heardAtMono: null });
  expect(judgeLink(fresh, null, 100_000)).toEqual({ state: 'unconfirmed', reason: 'silent' });
  expect(judgeLink(fresh, null, 111_999)).toEqual({ state: 'unconfirmed', reason: 'silent' });
  expect(judgeLink(fresh, null, 112_000)).toEqual({ state: 'lost', reason: 'silent' });
});

test('a host that spoke and then fell silent within the window is not excused by it', () => {
  const grace = { sinceMono: 0, reason: 'controller_paused' } as const;
  expect(judgeLink(evidence({ heardAtMono: 1_000 }), grace, 7_000)).toEqual({ state: 'resuming', reason: 'silent' });
});

test('a pause of the controller is not held against the hosts', () => {
  const grace = { sinceMono: 60_000, reason: 'controller_paused' } as const;
  expect(judgeLink(evidence({ heardAtMono: 1_000 }), grace, 60_500)).toEqual({
    state: 'unconfirmed',
    reason: 'controller_paused',
  });
});

test('a beat that is told on twice is current until the next one can have come by the same way', () => {
  expect(isCurrent('connected', 2_500 + 2_000 + 2_000 + 500)).toBe(true);
  expect(isCurrent('connected', 9_000)).toBe(false);
  expect(isCurrent('resuming', 0)).toBe(false);
});
