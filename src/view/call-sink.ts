import type { WatchAgentsResponse } from '../wire/gen/fleet/v1/view.ts';
import type { FrameSink } from './view-stream.ts';

/** What a server-streaming call is, as far as a sink needs it. */
export interface WritableCall {
  write(frame: WatchAgentsResponse): boolean;
  once(event: 'drain', listener: () => void): unknown;
  removeListener(event: 'drain', listener: () => void): unknown;
}

/** Honours the return value of write(): a transport that is not waited for buffers without bound. */
export const callSink = (call: WritableCall): FrameSink => ({
  write: (frame) => call.write(frame),
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
