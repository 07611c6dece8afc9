import { expect, test } from 'vitest';
import { Expiries } from '../../../../controller/desired/expiries.ts';
import { MovedClock } from '../../../helpers/moved-clock.ts';

const HOUR = 3_600_000;
const HOST = 'dragon-lin/u';

const given = (clock: MovedClock, id = 'i-1') => ({ id, givenMs: clock.nowMs(), expiresMs: clock.nowMs() + 24 * HOUR });

test('an intent is over when its time has passed, and not before', () => {
  const clock = new MovedClock();
  const expiries = new Expiries(clock);
  const intent = given(clock);
  expect(expiries.isOver(HOST, intent)).toBe(false);
  clock.advance(24 * HOUR - 1);
  expect(expiries.isOver(HOST, intent)).toBe(false);
  clock.advance(1);
  expect(expiries.isOver(HOST, intent)).toBe(true);
});

test('a wall clock that is set back gives it no more time', () => {
  const clock = new MovedClock();
  const expiries = new Expiries(clock);
  const intent = given(clock);
  expiries.isOver(HOST, intent);
  clock.advance(12 * HOUR);
  clock.wallMs -= 20 * HOUR;
  expect(expiries.isOver(HOST, intent)).toBe(false);
  clock.advance(12 * HOUR);
  expect(expiries.isOver(HOST, intent)).toBe(true);
});

test('a wall clock that is set forward past its end ends it, whatever has really passed', () => {
  const clock = new MovedClock();
  const expiries = new Expiries(clock);
  const intent = given(clock);
  clock.wallMs += 25 * HOUR;
  expect(expiries.isOver(HOST, intent)).toBe(true);
});

test('time in which the machine slept counts', () => {
  const clock = new MovedClock();
  const expiries = new Expiries(clock);
  const intent = given(clock);
  expiries.isOver(HOST, intent);
  clock.suspend(24 * HOUR);
  clock.wallMs -= 24 * HOUR;
  expect(expiries.isOver(HOST, intent)).toBe(true);
});

test('one that a controller finds at its start, given in what is now the future, is over: it cannot be dated', () => {
  const clock = new MovedClock();
  const intent = given(clock);
  clock.wallMs -= 1;
  expect(new Expiries(clock).isOver(HOST, intent)).toBe(true);
});

test('the next one of the same host-agent has its own time', () => {
  const clock = new MovedClock();
  const expiries = new Expiries(clock);
  expiries.isOver(HOST, given(clock));
  clock.advance(23 * HOUR);
  const next = given(clock, 'i-2');
  clock.advance(2 * HOUR);
  expect(expiries.isOver(HOST, next)).toBe(false);
});
