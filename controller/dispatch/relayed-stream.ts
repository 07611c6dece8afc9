/** Messages of a host's stream written on to one caller, and the host told when they are away, so that it waits for slow ones. */
import { FleetError } from '../../src/domain/errors.ts';
import { CALL_WINDOW_BYTES } from '../../src/wire/host-calls.ts';
import type { OnMessage } from '../uplink/host-calls.ts';

/** A host that does not wait is not buffered for: the listener throws RESOURCE_EXHAUSTED. */
export const boundedWriter = <T>(
  call: { write(message: T, flushed: () => void): unknown },
  what: string,
): OnMessage<T> => {
  let unreadBytes = 0;
  return (message, bytes, taken) => {
    if (unreadBytes >= CALL_WINDOW_BYTES) {
      throw new FleetError('RESOURCE_EXHAUSTED', `${what} ended: ${unreadBytes} bytes were waiting to be read`);
    }
    unreadBytes += bytes;
    call.write(message, () => {
      unreadBytes -= bytes;
      taken(bytes);
    });
  };
};
