/**
 * Header blocks (RFC 7541) for a connection whose dynamic tables are empty: ours because literals are never indexed,
 * the peer's because we announce a table of no bytes.
 */
import type { HeaderFields } from '../transport.ts';
import { decodeHuffman } from './huffman.ts';
import { CODE, Http2Error } from './protocol.ts';
import { STATIC_TABLE } from './static-table.ts';

/** Bytes of names and values, with 32 for each field (RFC 9113, 6.5.2). */
export const MAX_HEADER_LIST_BYTES = 64 * 1024;
const FIELD_OVERHEAD_BYTES = 32;
/** No length or index of a block within our limits is larger. */
const MAX_INTEGER = 0xff_ffff;

/** Values must be ASCII; names in lower case. */
export const encodeHeaders = (fields: HeaderFields): Buffer => {
  const parts: Buffer[] = [];
  for (const [name, value] of fields) parts.push(LITERAL, encodeString(name), encodeString(value));
  return Buffer.concat(parts);
};

/** Literal without indexing, with a name of its own. */
const LITERAL = Buffer.from([0]);

const encodeString = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([encodeInteger(bytes.length, 7), bytes]);
};

const encodeInteger = (value: number, prefixBits: number): Buffer => {
  const limit = (1 << prefixBits) - 1;
  if (value < limit) return Buffer.from([value]);
  const bytes = [limit];
  let rest = value - limit;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
};

/** Fields in their order, one character a byte. Throws COMPRESSION_ERROR on anything that is no such block. */
export const decodeHeaders = (block: Uint8Array): [name: string, value: string][] => {
  const reader = new BlockReader(block);
  const fields: [string, string][] = [];
  let listBytes = 0;
  while (!reader.isAtEnd) {
    const field = reader.field(fields.length === 0);
    if (field === null) continue;
    listBytes += field[0].length + field[1].length + FIELD_OVERHEAD_BYTES;
    if (listBytes > MAX_HEADER_LIST_BYTES) {
      throw new Http2Error(CODE.enhanceYourCalm, `headers of more than ${MAX_HEADER_LIST_BYTES} bytes`);
    }
    fields.push(field);
  }
  return fields;
};

class BlockReader {
  readonly #block: Uint8Array;
  #at = 0;

  constructor(block: Uint8Array) {
    this.#block = block;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#block.length;
  }

  /** null: a change of the table's size, which may stand before the first field only. */
  field(isFirst: boolean): [string, string] | null {
    const byte = this.#block[this.#at]!;
    if (byte & 0x80) return [...staticField(this.#integer(7))];
    // With incremental indexing: a table of no bytes keeps nothing of it.
    if (byte & 0x40) return this.#literal(6);
    if (!(byte & 0x20)) return this.#literal(4);
    if (!isFirst) throw malformed('a table size after a field');
    if (this.#integer(5) !== 0) throw malformed('a table larger than was allowed');
    return null;
  }

  #literal(prefixBits: number): [string, string] {
    const index = this.#integer(prefixBits);
    const name = index === 0 ? this.#string() : staticField(index)[0];
    return [name, this.#string()];
  }

  #string(): string {
    if (this.isAtEnd) throw malformed('a string that is not there');
    const isHuffman = (this.#block[this.#at]! & 0x80) !== 0;
    const length = this.#integer(7);
    const end = this.#at + length;
    if (end > this.#block.length) throw malformed('a string beyond its end');
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end;
    return isHuffman ? decodeHuffman(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1');
  }

  #integer(prefixBits: number): number {
    const limit = (1 << prefixBits) - 1;
    let value = this.#block[this.#at]! & limit;
    this.#at += 1;
    if (value < limit) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.isAtEnd) throw malformed('an integer beyond its end');
      const byte = this.#block[this.#at]!;
      this.#at += 1;
      value += (byte & 0x7f) << shift;
      if (value > MAX_INTEGER) break;
      if (byte < 0x80) return value;
    }
    throw malformed('an integer that is too large');
  }
}

const staticField = (index: number): readonly [string, string] => {
  const field = STATIC_TABLE[index - 1];
  if (!field) throw malformed(`index ${index} into a table that is empty`);
  return field;
};

const malformed = (what: string): Http2Error => new Http2Error(CODE.compression, `header block with ${what}`);
