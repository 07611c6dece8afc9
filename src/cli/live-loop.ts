/** Shows a live view again after each change, at most every 50 ms, and at least once a second: ages go on. */
import type { LiveView } from './client/live-view.ts';

const TICK_MS = 1_000;
const LEAST_INTERVAL_MS = 50;

/** Resolves when the signal aborts; rejects with what ended the view. `redraw` lets others ask for a round. */
export const followLive = async (
  live: LiveView,
  signal: AbortSignal,
  show: () => Promise<void>,
  redraw?: (ask: () => void) => void,
): Promise<void> => {
  let wake = (): void => {};
  let isDue = false;
  const ask = (): void => {
    isDue = true;
    wake();
  };
  const ended = { failure: null as { error: unknown } | null };
  using _listening = live.onChange(ask);
  redraw?.(ask);
  signal.addEventListener('abort', ask, { once: true });
  const stop = new AbortController();
  const running = live.run(AbortSignal.any([signal, stop.signal])).catch((error: unknown) => {
    ended.failure = { error };
    ask();
  });
  try {
    while (!signal.aborted && !ended.failure) {
      if (!isDue) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, TICK_MS);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      isDue = false;
      if (signal.aborted || ended.failure) break;
      if (live.mirror.isWhole) await show();
      await new Promise((resolve) => setTimeout(resolve, LEAST_INTERVAL_MS));
    }
  } finally {
    // Whatever ended the showing ends the view: a stream that nobody looks at would keep the program alive.
    stop.abort();
    await running;
  }
  if (ended.failure) throw ended.failure.error;
};
