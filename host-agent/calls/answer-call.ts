import type { MessageSink } from '../../src/runtime/message-sink.ts';
import { codecOf, type HostCall } from '../../src/wire/host-calls.ts';
import type { CallContext, OwnCalls, StreamCall, UnaryCall } from './own-calls.ts';

/** Runs one call of either shape: what it says goes to the sink, and how the promise settles is its status. */
export const answerCall = async (
  calls: OwnCalls,
  call: HostCall,
  request: unknown,
  sink: MessageSink<unknown>,
  context: CallContext,
): Promise<void> => {
  if (codecOf(call).responseStream) {
    await (calls[call] as StreamCall<unknown, unknown>).call(calls, request, sink, context);
  } else sink.write(await (calls[call] as UnaryCall<unknown, unknown>).call(calls, request, context));
};
