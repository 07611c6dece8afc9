/**
 * A local call passed on to the controller, on the uplink's own channel: deadline and cancellation go up, messages and
 * status come back as they are. A reader that lags stops the reading here.
 */
import { Client, credentials, InterceptingCall, type Interceptor, Metadata } from '@grpc/grpc-js';
import type { MessageSink } from '../../src/runtime/message-sink.ts';
import { type ControllerCall, codecOf, type HostCall } from '../../src/wire/host-calls.ts';
import type { IncomingCall } from './incoming-call.ts';

type Channel = ReturnType<Client['getChannel']>;

/** For callers that say nothing of how long they wait; a stream then has no end. */
const UNARY_DEADLINE_MS = 10_000;
/** Beyond the time that an order itself may take. */
const MARGIN_MS = 5_000;

/** Rejects with the controller's status: an error with `code` and `details`. */
export const relayCall = (channel: Channel, call: HostCall | ControllerCall, incoming: IncomingCall): Promise<void> => {
  const { path, responseStream, requestSerialize, responseDeserialize } = codecOf(call);
  const { request, sink, signal } = incoming;
  const client = new Client('', credentials.createInsecure(), { channelOverride: channel });
  const deadline = deadlineOf(incoming, responseStream);
  return new Promise((resolve, reject) => {
    if (!responseStream) {
      const options = { deadline };
      const asked = client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        options,
        (error, answer) => {
          signal.removeEventListener('abort', cancel);
          if (error !== null) return reject(error);
          sink.write(answer);
          resolve();
        },
      );
      const cancel = (): void => asked.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      if (signal.aborted) cancel();
      return;
    }
    const options = { deadline, interceptors: [inStepWith(sink, signal)] };
    const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, options);
    const cancel = (): void => stream.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    // Already written on; the library must still be seen to read.
    stream.on('data', () => {});
    stream.on('error', (error) => {
      signal.removeEventListener('abort', cancel);
      reject(error);
    });
    stream.on('end', () => {
      signal.removeEventListener('abort', cancel);
      resolve();
    });
    if (signal.aborted) cancel();
  });
};

/** The next message is read when the one before was taken: a paused stream of the library reads sixteen more (1.14). */
const inStepWith =
  (sink: MessageSink<unknown>, signal: AbortSignal): Interceptor =>
  (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, _listener, next) =>
        next(metadata, {
          onReceiveMessage: (message, onward) => {
            if (sink.write(message)) onward(message);
            else void sink.drained(signal).then(() => onward(message));
          },
        }),
    });

const deadlineOf = ({ deadline, request }: IncomingCall, endless: boolean): Date | number => {
  if (deadline instanceof Date || Number.isFinite(deadline) || endless) return deadline;
  const { timeoutMs = 0 } = request as { timeoutMs?: number };
  return Date.now() + Math.max(UNARY_DEADLINE_MS, timeoutMs + MARGIN_MS);
};
