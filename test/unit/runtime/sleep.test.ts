import { expect, test, vi } from 'vitest';
import { sleep } from '../../../src/runtime/sleep.ts';

test('a sleep longer than any timer is a long one', async () => {
  vi.useFakeTimers();
  const stop = new AbortController();
  let isOver = false;
  const sleeping = sleep(2 ** 32 - 1, stop.signal).then(() => {
    isOver = true;
  });
  await vi.advanceTimersByTimeAsync(24 * 3_600_000);
  expect(isOver).toBe(false);
  stop.abort();
  await sleeping;
  expect(isOver).toBe(true);
  vi.useRealTimers();
});
