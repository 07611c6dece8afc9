/** Huffman-coded strings of HPACK (RFC 7541, 5.2 and appendix B), decoded. Nothing here encodes. */
import { CODE, Http2Error } from './protocol.ts';

/**
 * Bits of the code of each byte, then of EOS. The code is canonical: within one length codes rise with the symbol,
 * and each length goes on where the shorter one ended, so that the lengths say it all.
 */
const LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];

const EOS = 256;
const LONGEST = 30;
/** A longer run of ones at the end is no padding. */
const MAX_PADDING_BITS = 7;

interface CodeTable {
  /** Symbols by code length, then by value. */
  symbols: Uint16Array;
  /** For each length: its first code, how many codes it has, and where their symbols begin. */
  first: Int32Array;
  count: Int32Array;
  offset: Int32Array;
}

const buildTable = (): CodeTable => {
  const count = new Int32Array(LONGEST + 1);
  for (const length of LENGTHS) count[length]! += 1;
  const first = new Int32Array(LONGEST + 1);
  const offset = new Int32Array(LONGEST + 1);
  for (let length = 1; length <= LONGEST; length += 1) {
    first[length] = (first[length - 1]! + count[length - 1]!) << 1;
    offset[length] = offset[length - 1]! + count[length - 1]!;
  }
  const symbols = new Uint16Array(LENGTHS.length);
  const next = offset.slice();
  for (const [symbol, length] of LENGTHS.entries()) {
    symbols[next[length]!] = symbol;
    next[length]! += 1;
  }
  return { symbols, first, count, offset };
};

const TABLE = buildTable();

/** One character a byte (latin1). Throws COMPRESSION_ERROR for EOS inside a string and for padding that is none. */
export const decodeHuffman = (bytes: Uint8Array): string => {
  const { symbols, first, count, offset } = TABLE;
  let text = '';
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      code = (code << 1) | ((byte >> bit) & 1);
      length += 1;
      const rank = code - first[length]!;
      if (rank >= count[length]!) {
        if (length === LONGEST) throw new Http2Error(CODE.compression, 'Huffman code that stands for nothing');
        continue;
      }
      const symbol = symbols[offset[length]! + rank]!;
      if (symbol === EOS) throw new Http2Error(CODE.compression, 'end of string inside a Huffman-coded string');
      text += String.fromCharCode(symbol);
      code = 0;
      length = 0;
    }
  }
  if (length > MAX_PADDING_BITS || code !== (1 << length) - 1) {
    throw new Http2Error(CODE.compression, 'Huffman-coded string with bad padding');
  }
  return text;
};
