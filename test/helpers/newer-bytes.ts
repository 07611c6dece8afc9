/** Messages as a newer version would write them: with fields and members that nobody here has heard of. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';

const tag = (field: number, wireType: 0 | 1 | 2 | 5): number => ((field << 3) | wireType) >>> 0;

/** The message, and behind it an unknown field of each wire type. */
export const grown = (message: Uint8Array): Buffer => {
  const writer = new BinaryWriter();
  writer.uint32(tag(900, 0)).uint32(7);
  writer.uint32(tag(901, 1)).fixed64(7);
  writer.uint32(tag(902, 2)).bytes(Buffer.from('something new'));
  writer.uint32(tag(903, 5)).fixed32(7);
  return Buffer.concat([message, writer.finish()]);
};

/** `message` as field `field` of another. */
export const member = (field: number, message: Uint8Array): Buffer =>
  Buffer.from(new BinaryWriter().uint32(tag(field, 2)).bytes(message).finish());

/** All of it, a member that is unknown among the others. */
export const together = (...parts: readonly Uint8Array[]): Buffer => grown(Buffer.concat(parts));
