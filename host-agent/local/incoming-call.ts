/** A local gRPC call of either shape, told apart no further: a request, a sink, one end. */
import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import type { MessageSink } from '../../src/runtime/message-sink.ts';
import { tightSink } from '../../src/runtime/tight-sink.ts';
import type { GrpcStatus } from '../../src/wire/errors.ts';

export interface IncomingCall {
  request: unknown;
  sink: MessageSink<unknown>;
  /** When the caller stops waiting; Infinity where it said nothing. */
  deadline: Date | number;
  /** Aborts when the caller left, its deadline passed, or the daemon stops. */
  signal: AbortSignal;
  /** Once; null is success. */
  end(failure: GrpcStatus | null): void;
}

export const incomingUnary = (
  call: ServerUnaryCall<unknown, unknown>,
  reply: sendUnaryData<unknown>,
  stopping: AbortSignal,
): IncomingCall => {
  const gone = new AbortController();
  call.on('cancelled', () => gone.abort());
  let answer: unknown = null;
  return {
    request: call.request,
    sink: {
      write: (message) => {
        answer = message;
        return true;
      },
      drained: async () => {},
    },
    deadline: call.getDeadline(),
    signal: AbortSignal.any([gone.signal, stopping]),
    end: (failure) => (failure === null ? reply(null, answer) : reply(failure)),
  };
};

export const incomingStream = (call: ServerWritableStream<unknown, unknown>, stopping: AbortSignal): IncomingCall => {
  const gone = new AbortController();
  call.on('cancelled', () => gone.abort());
  call.on('close', () => gone.abort());
  return {
    request: call.request,
    sink: tightSink(call),
    deadline: call.getDeadline(),
    signal: AbortSignal.any([gone.signal, stopping]),
    end: (failure) => {
      if (failure === null) call.end();
      else call.emit('error', failure);
    },
  };
};
