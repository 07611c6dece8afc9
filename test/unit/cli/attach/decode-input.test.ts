import { describe, expect, test } from 'vitest';
import { InputDecoder } from '../../../../src/cli/attach/decode-input.ts';
import { checkStrokes, type KeyStroke, MAX_PASTE_BYTES } from '../../../../src/domain/key-stroke.ts';

const bytesOf = (text: string): Buffer => Buffer.from(text);
const decode = (...chunks: (string | Buffer)[]): KeyStroke[] => {
  const decoder = new InputDecoder();
  const strokes = chunks.flatMap((chunk) => decoder.push(typeof chunk === 'string' ? bytesOf(chunk) : chunk));
  return [...strokes, ...decoder.flush()];
};

describe.for([
  ['a', { text: 'a' }],
  [' ', { text: ' ' }],
  ['grüße 漢字 😀', { text: 'grüße 漢字 😀' }],
  ['\r', { key: 'Enter' }],
  ['\n', { key: 'C-j' }],
  ['\t', { key: 'Tab' }],
  ['\x7f', { key: 'BSpace' }],
  ['\b', { key: 'C-h' }],
  ['\x1b', { key: 'Escape' }],
  ['\0', { key: 'C-Space' }],
  ['\x03', { key: 'C-c' }],
  ['\x1c', { key: 'C-\\' }],
  ['\x1d', { key: 'C-]' }],
  ['\x1e', { key: 'C-^' }],
  ['\x1f', { key: 'C-_' }],
  ['\x1bx', { key: 'M-x' }],
  ['\x1b ', { key: 'M-Space' }],
  ['\x1b;', { key: 'M-;' }],
  ["\x1b'", { key: "M-'" }],
  ['\x1b[', { key: 'M-[' }],
  ['\x1bO', { key: 'M-O' }],
  ['\x1b]', { key: 'M-]' }],
  ['\x1bP', { key: 'M-P' }],
  ['\x1bé', { key: 'M-é' }],
  ['\x1b\r', { key: 'M-Enter' }],
  ['\x1b\x7f', { key: 'M-BSpace' }],
  ['\x1b\x18', { key: 'C-M-x' }],
  ['\x1b[A', { key: 'Up' }],
  ['\x1bOA', { key: 'Up' }],
  ['\x1b[1;2A', { key: 'S-Up' }],
  ['\x1b[1;5D', { key: 'C-Left' }],
  ['\x1b[1;8C', { key: 'C-M-S-Right' }],
  ['\x1b\x1b[A', { key: 'M-Up' }],
  ['\x1b[H', { key: 'Home' }],
  ['\x1b[1~', { key: 'Home' }],
  ['\x1b[4~', { key: 'End' }],
  ['\x1b[2~', { key: 'Insert' }],
  ['\x1b[3;5~', { key: 'C-Delete' }],
  ['\x1b[5~', { key: 'PageUp' }],
  ['\x1b[6~', { key: 'PageDown' }],
  ['\x1b[Z', { key: 'BTab' }],
  ['\x1bOP', { key: 'F1' }],
  ['\x1b[1;2R', { key: 'S-F3' }],
  ['\x1b[[E', { key: 'F5' }],
  ['\x1b[15~', { key: 'F5' }],
  ['\x1b[24;5~', { key: 'C-F12' }],
  ['\x1bOM', { key: 'Enter' }],
  ['\x1bOv', { text: '6' }],
  ['\x1b[97;5u', { key: 'C-a' }],
  ['\x1b[27;6;65~', { key: 'C-a' }],
  ['\x1b[13;2u', { key: 'Enter' }],
  ['\x1b[228u', { text: 'ä' }],
] as [string, KeyStroke][])('%j', ([input, stroke]) => {
  test('is one stroke that a host takes, however its bytes are cut', () => {
    expect(decode(input)).toEqual([stroke]);
    expect(checkStrokes([stroke])).toEqual([stroke]);
    const bytes = bytesOf(input);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const cutStrokes = decode(bytes.subarray(0, cut), bytes.subarray(cut));
      const text = cutStrokes.map((each) => ('text' in each ? each.text : '')).join('');
      if ('text' in stroke) expect(text).toBe(stroke.text);
      else expect(cutStrokes).toEqual([stroke]);
    }
  });
});

test.for([
  ['mouse of the old kind', '\x1b[M !!'],
  ['mouse of SGR', '\x1b[<0;10;20M\x1b[<0;10;20m'],
  ['focus', '\x1b[I\x1b[O'],
  ['an answer to who it is', '\x1b[?64;1;2c\x1b[>41;368;0c'],
  ['a cursor report', '\x1b[24;80R'],
  ['a colour', '\x1b]11;rgb:0000/0000/0000\x1b\\\x1b]10;rgb:ffff/ffff/ffff\x07'],
  ['a device string', '\x1bP>|XTerm(379)\x1b\\'],
  ['a key that nobody knows', '\x1b[99~\x1b[1;2X'],
  ['bytes that are no text', '\x80\xff'],
])('%s is dropped, and what comes after it is not', ([, input]) => {
  const bytes = Buffer.concat([Buffer.from(input as string, 'latin1'), bytesOf('ok')]);
  expect(decode(bytes)).toEqual([{ text: 'ok' }]);
});

test('a lone Escape waits until nothing more came', () => {
  const decoder = new InputDecoder();
  expect(decoder.push(bytesOf('a\x1b'))).toEqual([{ text: 'a' }]);
  expect(decoder.isWaiting).toBe(true);
  expect(decoder.flush()).toEqual([{ key: 'Escape' }]);
  expect(decoder.isWaiting).toBe(false);
  expect(decoder.push(bytesOf('[A'))).toEqual([{ text: '[A' }]);
});

test('Escape typed twice is two, and before a letter it is its Alt', () => {
  expect(decode('\x1b\x1b')).toEqual([{ key: 'Escape' }, { key: 'Escape' }]);
  expect(decode('\x1b\x1bx')).toEqual([{ key: 'Escape' }, { key: 'M-x' }]);
});

test('a paste is one stroke with everything in it, however it is cut', () => {
  const paste = 'one\r\ntwo\x03\x1d \x1b[A 😀';
  const bytes = bytesOf(`a\x1b[200~${paste}\x1b[201~b`);
  for (let cut = 1; cut < bytes.length; cut += 1) {
    const strokes = decode(bytes.subarray(0, cut), bytes.subarray(cut));
    expect(strokes).toEqual([{ text: 'a' }, { paste }, { text: 'b' }]);
  }
});

test('a large paste goes in parts, none cut inside a character', () => {
  const paste = '漢'.repeat(200_000);
  const strokes = decode(`\x1b[200~${paste}\x1b[201~`);
  expect(strokes.length).toBe(3);
  for (const stroke of strokes) expect(checkStrokes([stroke])).toEqual([stroke]);
  expect(strokes.map((stroke) => ('paste' in stroke ? stroke.paste : '')).join('') === paste).toBe(true);
});

test('an endless paste is not held without bound', () => {
  const decoder = new InputDecoder();
  let pasted = 0;
  for (const chunk of ['\x1b[200~', ...Array.from({ length: 64 }, () => 'x'.repeat(16_384))]) {
    for (const stroke of decoder.push(bytesOf(chunk))) if ('paste' in stroke) pasted += stroke.paste.length;
  }
  expect(64 * 16_384 - pasted).toBeLessThanOrEqual(MAX_PASTE_BYTES + 6);
});

test('long text goes in strokes that a host takes', () => {
  const text = 'ü'.repeat(5_000);
  const strokes = decode(text);
  expect(checkStrokes(strokes)).toEqual(strokes);
  expect(strokes.map((stroke) => ('text' in stroke ? stroke.text : '')).join('')).toBe(text);
});
