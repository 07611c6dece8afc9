/** HEADERS and the CONTINUATION frames after it, joined and decoded. */
import { type Frame, withoutPadding } from './frame.ts';
import { decodeHeaders, MAX_HEADER_LIST_BYTES } from './hpack.ts';
import { CODE, FLAG, FRAME, Http2Error } from './protocol.ts';

export interface HeaderBlock {
  fields: [name: string, value: string][];
  /** The call's last word. */
  isEnd: boolean;
}

interface OpenBlock {
  streamId: number;
  isEnd: boolean;
  parts: Buffer[];
  bytes: number;
}

/** So that frames without a byte cannot come for ever. */
const FRAME_COST_BYTES = 64;
const PRIORITY_BYTES = 5;

export class HeaderBlocks {
  #open: OpenBlock | null = null;

  /** Nothing but the rest of the block may come now (RFC 9113, 4.3). */
  get isOpen(): boolean {
    return this.#open !== null;
  }

  /** The block that this frame completes. Throws Http2Error. */
  push(frame: Frame): HeaderBlock | null {
    const isFirst = frame.type === FRAME.headers;
    const open = isFirst
      ? { streamId: frame.streamId, isEnd: (frame.flags & FLAG.endStream) !== 0, parts: [], bytes: 0 }
      : this.#open;
    if (open?.streamId !== frame.streamId) throw new Http2Error(CODE.protocol, 'CONTINUATION of nothing');
    const part = isFirst ? withoutPriority(frame) : frame.payload;
    open.parts.push(part);
    open.bytes += part.length + FRAME_COST_BYTES;
    if (open.bytes > MAX_HEADER_LIST_BYTES) {
      throw new Http2Error(CODE.enhanceYourCalm, `headers of more than ${MAX_HEADER_LIST_BYTES} bytes`);
    }
    this.#open = frame.flags & FLAG.endHeaders ? null : open;
    return this.#open ? null : { fields: decodeHeaders(Buffer.concat(open.parts)), isEnd: open.isEnd };
  }
}

const withoutPriority = (frame: Frame): Buffer => {
  const part = withoutPadding(frame);
  if (!(frame.flags & FLAG.priority)) return part;
  if (part.length < PRIORITY_BYTES) throw new Http2Error(CODE.frameSize, 'HEADERS that are too short');
  return part.subarray(PRIORITY_BYTES);
};
