import { expect, test } from 'vitest';
import { FrameReader, frameMessage } from '../../../../src/cli/client/frames.ts';

const read = (reader: FrameReader, ...chunks: Uint8Array[]): string[] =>
  chunks.flatMap((chunk) => [...reader.push(Buffer.from(chunk))].map(String));

test.each([1, 2, 3, 5, 7, 1_000])('messages come out whole, however they were cut (%i bytes a chunk)', (size) => {
  const bytes = Buffer.concat(['one', '', 'three', 'x'.repeat(300)].map((text) => frameMessage(Buffer.from(text))));
  const reader = new FrameReader();
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
    bytes.subarray(n * size, (n + 1) * size),
  );
  expect(read(reader, ...chunks)).toEqual(['one', '', 'three', 'x'.repeat(300)]);
  expect(reader.isMidMessage).toBe(false);
});

test('a length over the limit is refused from its prefix alone', () => {
  const reader = new FrameReader(100);
  expect(() => read(reader, Buffer.from([0, 0xff, 0xff, 0xff, 0xff]))).toThrow(/4294967295 bytes; at most 100/);
});

test('a compressed message is refused: nothing was agreed', () => {
  expect(() => read(new FrameReader(), Buffer.from([1, 0, 0, 0, 0]))).toThrow(/compressed/);
});

test('a stream that ends inside a message is known to', () => {
  const reader = new FrameReader();
  read(reader, frameMessage(Buffer.from('whole')).subarray(0, 7));
  expect(reader.isMidMessage).toBe(true);
});
