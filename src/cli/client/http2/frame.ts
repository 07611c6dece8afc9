/** One frame of HTTP/2 (RFC 9113, 4.1), and how the frames that we send are put together. */
import { CODE, FLAG, FRAME, Http2Error } from './protocol.ts';

export interface Frame {
  type: number;
  flags: number;
  streamId: number;
  payload: Buffer;
}

export const FRAME_HEAD_BYTES = 9;

export const frameHead = (type: number, flags: number, streamId: number, length: number): Buffer => {
  const head = Buffer.allocUnsafe(FRAME_HEAD_BYTES);
  head.writeUIntBE(length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return head;
};

export const frameOf = (type: number, flags: number, streamId: number, payload: Uint8Array): Buffer =>
  Buffer.concat([frameHead(type, flags, streamId, payload.length), payload]);

export const windowUpdate = (streamId: number, bytes: number): Buffer =>
  frameOf(FRAME.windowUpdate, 0, streamId, uint32(bytes));

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** The payload of a frame that is one number. */
export const uint32Of = (payload: Buffer, what: string): number => {
  if (payload.length !== 4) throw new Http2Error(CODE.frameSize, `${what} of another length than 4`);
  return payload.readUInt32BE(0);
};

/** What DATA or HEADERS carry. Throws PROTOCOL_ERROR for padding longer than the frame. */
export const withoutPadding = ({ flags, payload }: Frame): Buffer => {
  if (!(flags & FLAG.padded)) return payload;
  const padding = payload[0];
  if (padding === undefined || padding >= payload.length)
    throw new Http2Error(CODE.protocol, 'padding beyond its frame');
  return payload.subarray(1, payload.length - padding);
};
