import { describe, expect, test } from 'vitest';
import { decodeHeaders, encodeHeaders } from '../../../../../src/cli/client/http2/hpack.ts';
import { decodeHuffman } from '../../../../../src/cli/client/http2/huffman.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('Huffman-coded strings', () => {
  test.each([
    ['f1e3 c2e5 f23a 6ba0 ab90 f4ff', 'www.example.com'],
    ['a8eb 1064 9cbf', 'no-cache'],
    ['25a8 49e9 5bb8 e8b4 bf', 'custom-value'],
    ['6402', '302'],
    ['d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3', 'https://www.example.com'],
    ['', ''],
  ])('%s is "%s" (RFC 7541, appendix C)', (bytes, text) => {
    expect(decodeHuffman(hex(bytes))).toBe(text);
  });

  test.each([
    [0x00, '1111111111000'],
    [0x01, '11111111111111111011000'],
    [0x0a, '111111111111111111111111111100'],
    [0x16, '111111111111111111111111111110'],
    [0x7f, '1111111111111111111111111100'],
    [0x5c, '1111111111111110000'],
    [0xc7, '1111111111111111111101100'],
    [0xf9, '1111111111111111111111111110'],
    [0xff, '11111111111111111111101110'],
  ])('the rare byte %i has the code of appendix B', (byte, code) => {
    const padded = code.padEnd(Math.ceil(code.length / 8) * 8, '1');
    const bytes = Buffer.from((padded.match(/.{8}/g) ?? []).map((bits) => Number.parseInt(bits, 2)));
    expect(decodeHuffman(bytes)).toBe(String.fromCharCode(byte));
  });

  test.each([
    ['ffff ffff', 'end of string'],
    ['f1e3 c2e5 f23a 6ba0 ab90 f4ff ff', 'padding'],
    ['18', 'padding'],
    ['fe', 'padding'],
  ])('%s is refused: %s', (bytes, words) => {
    expect(() => decodeHuffman(hex(bytes))).toThrow(words);
  });
});

describe('header blocks', () => {
  test.each([
    ['88 c3', /index 67/],
    ['82 86 84 41 0f', /string beyond/],
    ['40', /string that is not there/],
    ['80', /index 0/],
    ['ff ff ff ff ff 7f', /integer that is too large/],
    ['ff', /integer beyond/],
    ['3f e1 1f', /table larger/],
    ['88 20', /table size after/],
  ])('%s is refused: %s', (block, words) => {
    expect(() => decodeHeaders(hex(block))).toThrow(words);
  });

  test('fields come as they were written: indexed, named by index, literal, never indexed, after table sizes of 0', () => {
    const block = hex('20 20 88 5f 03 61 2f 62 00 01 78 01 79 10 01 7a 82 64 02 40 01 61 01 62');
    expect(decodeHeaders(block)).toEqual([
      [':status', '200'],
      ['content-type', 'a/b'],
      ['x', 'y'],
      ['z', '302'],
      ['a', 'b'],
    ]);
  });

  test('what we write reads back, lengths of several bytes too', () => {
    const fields: [string, string][] = [
      [':path', '/fleet.v1.FleetService/WatchAgents'],
      ['a', ''],
      ...[126, 127, 128, 254, 255, 1_337, 20_000].map((length): [string, string] => ['x', 'v'.repeat(length)]),
    ];
    expect(decodeHeaders(encodeHeaders(fields))).toEqual(fields);
    expect(encodeHeaders([['x', 'v'.repeat(1_337 - 31 + 127)]]).subarray(3, 6)).toEqual(hex('7f 9a 0a'));
  });

  test('a list that unfolds beyond its limit is refused, however short its block is', () => {
    expect(() => decodeHeaders(Buffer.alloc(2_000, 0x88))).toThrow(/more than 65536 bytes/);
  });

  test('random bytes are fields or refused, never anything else', () => {
    let seed = 1;
    const random = (): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed >>> 24;
    };
    let read = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const block = Buffer.from(Array.from({ length: random() % 40 }, random));
      try {
        decodeHeaders(block);
        read += 1;
      } catch (error) {
        expect((error as Error).name).toBe('Http2Error');
      }
    }
    expect(read).toBeGreaterThan(100);
  });
});
