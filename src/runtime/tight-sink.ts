/**
 * A stream whose messages may be large: one waits for the transport, and one more is made at most. A library's own bound
 * counts messages, sixteen of them, whatever their size (grpc-js 1.14).
 */
import type { MessageSink } from './message-sink.ts';

/** What a streaming call is, as far as this needs it; `flushed` is told when the transport has taken a message. */
export interface FlushedCall<T> {
  write(message: T, flushed: () => void): unknown;
}

export const tightSink = <T>(call: FlushedCall<T>): MessageSink<T> => {
  let waiting = 0;
  const drains = new Set<() => void>();
  return {
    write: (message) => {
      waiting++;
      call.write(message, () => {
        waiting--;
        if (waiting === 0) for (const drain of [...drains]) drain();
      });
      return waiting === 0;
    },
    drained: (signal) =>
      new Promise((resolve) => {
        const done = (): void => {
          drains.delete(done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        if (waiting === 0 || signal.aborted) return resolve();
        drains.add(done);
        signal.addEventListener('abort', done, { once: true });
      }),
  };
};
