/** Where the messages of a stream go; a reader that lags is waited for, never buffered for. */
export interface MessageSink<T> {
  /** False when the reader lags: wait for `drained` before the next one. */
  write(message: T): boolean;
  /** Resolves when the reader may go on, or the signal aborted. */
  drained(signal: AbortSignal): Promise<void>;
}

/** What a streaming call is, as far as a sink needs it. */
export interface WritableCall<T> {
  write(message: T): boolean;
  once(event: 'drain', listener: () => void): unknown;
  removeListener(event: 'drain', listener: () => void): unknown;
}

/** Honours the return value of write(): a transport that is not waited for buffers without bound. */
export const callSink = <T>(call: WritableCall<T>): MessageSink<T> => ({
  write: (message) => call.write(message),
  drained: (signal) =>
    new Promise((resolve) => {
      const done = () => {
        call.removeListener('drain', done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      if (signal.aborted) return resolve();
      call.once('drain', done);
      signal.addEventListener('abort', done, { once: true });
    }),
});
