/**
 * Waits as long as the promise takes and calls `onLate` once after `ms`: who asks a hung server is left alone to
 * be answered, since ending a waiting client is what can hurt the server.
 */
export const withLateness = async <T>(promise: Promise<T>, ms: number, onLate: () => void): Promise<T> => {
  const timer = setTimeout(onLate, ms);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
};

/** null when the signal aborted first; what becomes of the promise then is nobody's concern. */
export const untilAborted = async <T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> => {
  const aborted = Promise.withResolvers<null>();
  const abort = () => aborted.resolve(null);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([aborted.promise, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
};
