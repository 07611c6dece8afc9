import { sleep } from './sleep.ts';

/** Does it again and again, each time so long after the last was done, until the signal aborts. Rejects as it does. */
export const every = async (intervalMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> => {
  for (;;) {
    await sleep(intervalMs, signal);
    if (signal.aborted) return;
    await work();
  }
};
