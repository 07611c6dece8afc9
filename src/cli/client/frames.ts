/** gRPC's length-prefixed messages, cut out of a stream of chunks. A message over the limit is never assembled. */
import { FleetError } from '../../domain/errors.ts';

/** Twice the largest frame of the wire contract (512 KiB), with room for a version that says more. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const PREFIX_BYTES = 5;

export const frameMessage = (message: Uint8Array): Buffer => {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
};

export class FrameReader {
  readonly #maxBytes: number;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(maxBytes = MAX_MESSAGE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** All messages that this chunk completes. Throws RESOURCE_EXHAUSTED or INTERNAL on what is no such stream. */
  *push(chunk: Buffer): Generator<Buffer> {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    while (this.#heldBytes >= PREFIX_BYTES) {
      const prefix = this.#join(PREFIX_BYTES);
      if (prefix.readUInt8(0) !== 0) throw new FleetError('INTERNAL', 'answer is compressed, which was not agreed');
      const length = prefix.readUInt32BE(1);
      if (length > this.#maxBytes) {
        throw new FleetError(
          'RESOURCE_EXHAUSTED',
          `message of ${length} bytes; at most ${this.#maxBytes} are accepted`,
        );
      }
      if (this.#heldBytes < PREFIX_BYTES + length) return;
      const frame = this.#join(PREFIX_BYTES + length);
      this.#take(PREFIX_BYTES + length);
      yield frame.subarray(PREFIX_BYTES, PREFIX_BYTES + length);
    }
  }

  /** Whether the stream ended inside a message. */
  get isMidMessage(): boolean {
    return this.#heldBytes > 0;
  }

  /** The first held buffer, made to hold at least `bytes`. */
  #join(bytes: number): Buffer {
    let first = this.#held[0] as Buffer;
    if (first.length < bytes) {
      first = Buffer.concat(this.#held);
      this.#held = [first];
    }
    return first;
  }

  #take(bytes: number): void {
    const first = this.#held[0] as Buffer;
    this.#heldBytes -= bytes;
    if (first.length === bytes) this.#held.shift();
    else this.#held[0] = first.subarray(bytes);
  }
}
