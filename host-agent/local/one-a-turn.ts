/**
 * Messages of a stream one at a time, with a turn of the loop between two: the library hands over all that one read of its
 * connection brought in the same turn (1.14), and what is done with each would add up to a stall.
 */
import { InterceptingCall, type Interceptor } from '@grpc/grpc-js';

export const oneATurn: Interceptor = (options, nextCall) =>
  new InterceptingCall(nextCall(options), {
    start: (metadata, _listener, next) =>
      next(metadata, {
        // The next one is asked for when this one was passed on.
        onReceiveMessage: (message, onward) => void setImmediate(() => onward(message)),
      }),
  });
