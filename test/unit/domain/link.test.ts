import { expect, test } from 'vitest';
import {
  graceAfterReturn,
  graceEndMono,
  isCurrent,
  type JudgeGrace,
  judgeLink,
  type LinkEvidence,
} from '../../../src/domain/link.ts';

const evidence = (over: Partial<LinkEvidence> = {}): LinkEvidence => ({
  knownSinceMono: 0,
  streamOpen: true,
  heardAtMono: 0,
  closedBecause: null,
  closedAtMono: null,
  duplicate: false,
  ...over,
});
const startedAt = (sinceMono: number): JudgeGrace => ({
  sinceMono,
  reason: 'controller_started',
  returnedAtMono: null,
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
  const grace = startedAt(0);
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
  const grace = { ...startedAt(0), reason: 'controller_paused' } as const;
  expect(judgeLink(evidence({ heardAtMono: 1_000 }), grace, 7_000)).toEqual({ state: 'resuming', reason: 'silent' });
});

test('a pause of the controller is not held against the hosts', () => {
  const grace = { ...startedAt(60_000), reason: 'controller_paused' } as const;
  expect(judgeLink(evidence({ heardAtMono: 1_000 }), grace, 60_500)).toEqual({
    state: 'unconfirmed',
    reason: 'controller_paused',
  });
});

/** As each host speaks for the first time. */
const afterReturns = (grace: JudgeGrace, moments: readonly number[]): JudgeGrace =>
  moments.reduce((held, at) => graceAfterReturn(held, null, at), grace);

test('the window lasts while hosts still come back, and a while after the last one', () => {
  expect(graceEndMono(startedAt(0))).toBe(15_000);
  expect(graceEndMono(afterReturns(startedAt(0), [1_000, 8_000]))).toBe(15_000);
  expect(graceEndMono(afterReturns(startedAt(0), [1_000, 8_000, 14_000]))).toBe(20_000);
  const crowd = afterReturns(startedAt(0), [14_000, 19_000, 24_000]);
  const away = evidence({ streamOpen: false, heardAtMono: null });
  expect(judgeLink(away, crowd, 29_900).state).toBe('unconfirmed');
  expect(judgeLink(away, crowd, 30_000).state).toBe('lost');
});

test('the window ends however many hosts still come back', () => {
  const moments = Array.from({ length: 1_000 }, (_, index) => 100 * index);
  expect(graceEndMono(afterReturns(startedAt(0), moments))).toBe(60_000);
});

test('a host that has spoken since prolongs nothing, one that spoke before it does', () => {
  expect(graceAfterReturn(startedAt(10_000), 11_000, 24_000)).toEqual(startedAt(10_000));
  expect(graceAfterReturn(startedAt(10_000), 9_000, 24_000).returnedAtMono).toBe(24_000);
});

test('a window that is over does not begin again: nobody who was called lost is excused later', () => {
  expect(graceAfterReturn(startedAt(0), null, 15_000)).toEqual(startedAt(0));
});

test('a beat that is told on twice is current until the next one can have come by the same way', () => {
  expect(isCurrent('connected', 2_500 + 2_000 + 2_000 + 500)).toBe(true);
  expect(isCurrent('connected', 9_000)).toBe(false);
  expect(isCurrent('resuming', 0)).toBe(false);
});
