/** HTTP/2 frames, cut out of a stream of chunks. Holds at most one frame; a longer one is refused by its head. */
import { FRAME_HEAD_BYTES, type Frame } from './frame.ts';
import { CODE, Http2Error } from './protocol.ts';

const EMPTY = Buffer.alloc(0);

export class Http2FrameReader {
  readonly #maxBytes: number;
  /** Parts of a frame that has not come whole, and how much makes it worth joining them. */
  #parts: Buffer[] = [];
  #partBytes = 0;
  #wanted = FRAME_HEAD_BYTES;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** All frames that this chunk completes. Throws FRAME_SIZE_ERROR. */
  *push(chunk: Buffer): Generator<Frame> {
    const bytes = this.#joined(chunk);
    let at = 0;
    while (bytes) {
      const left = bytes.length - at;
      if (left < FRAME_HEAD_BYTES) return this.#keep(bytes.subarray(at), FRAME_HEAD_BYTES);
      const length = bytes.readUIntBE(at, 3);
      if (length > this.#maxBytes) {
        throw new Http2Error(CODE.frameSize, `frame of ${length} bytes; at most ${this.#maxBytes} are accepted`);
      }
      const end = at + FRAME_HEAD_BYTES + length;
      if (end > bytes.length) return this.#keep(bytes.subarray(at), FRAME_HEAD_BYTES + length);
      const type = bytes.readUInt8(at + 3);
      const flags = bytes.readUInt8(at + 4);
      const streamId = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
      yield { type, flags, streamId, payload: bytes.subarray(at + FRAME_HEAD_BYTES, end) };
      at = end;
    }
  }

  /** null while there is not enough to go on. */
  #joined(chunk: Buffer): Buffer | null {
    if (this.#partBytes === 0) return chunk;
    this.#parts.push(chunk);
    this.#partBytes += chunk.length;
    if (this.#partBytes < this.#wanted) return null;
    const bytes = Buffer.concat(this.#parts, this.#partBytes);
    this.#keep(EMPTY, FRAME_HEAD_BYTES);
    return bytes;
  }

  #keep(rest: Buffer, wanted: number): void {
    this.#wanted = wanted;
    this.#partBytes = rest.length;
    this.#parts = rest.length > 0 ? [rest] : [];
  }
}
