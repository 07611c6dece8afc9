/** Messages of a host's stream written on to one caller; what the caller does not take is bounded in bytes, and then it ends. */
import { FleetError } from '../../src/domain/errors.ts';

export const MAX_UNREAD_BYTES = 256 * 1024;

/** Returns a listener for messages and their sizes; throws RESOURCE_EXHAUSTED in it when the caller lags too far behind. */
export const boundedWriter = <T>(
  call: { write(message: T, flushed: () => void): unknown },
  what: string,
): ((message: T, bytes: number) => void) => {
  let unreadBytes = 0;
  return (message, bytes) => {
    // One message is always taken: it may be larger than the bound by itself.
    if (unreadBytes > 0 && unreadBytes + bytes > MAX_UNREAD_BYTES) {
      throw new FleetError('RESOURCE_EXHAUSTED', `${what} ended: ${unreadBytes} bytes were waiting to be read`);
    }
    unreadBytes += bytes;
    call.write(message, () => {
      unreadBytes -= bytes;
    });
  };
};
