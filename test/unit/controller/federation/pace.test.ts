import { expect, test } from 'vitest';
import { Pace } from '../../../../controller/federation/pace.ts';
import { MovedClock } from '../../../helpers/moved-clock.ts';

test('a burst is read at once, what comes beyond it as fast as the pace, and rest is made good', async () => {
  const clock = new MovedClock();
  const pace = new Pace(clock, { burstBytes: 1_000, bytesPerSecond: 100 });
  const stop = new AbortController();
  expect(pace.take(1_000, stop.signal)).toBeNull();
  const held = pace.take(1, stop.signal);
  expect(held).toBeInstanceOf(Promise);
  clock.advance(10);
  expect(pace.take(0, stop.signal)).toBeNull();
  clock.advance(60_000);
  expect(pace.take(1_000, stop.signal)).toBeNull();
  expect(pace.take(1, stop.signal)).toBeInstanceOf(Promise);
  stop.abort();
  await held;
});
