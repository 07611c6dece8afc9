/**
 * DER, as much as X.509 needs: a writer of values, and a strict reader that takes a value apart without
 * interpreting it. Definite lengths only, as DER demands; anything else is an error, never a guess.
 */
import { FleetError } from '../domain/errors.ts';

const lengthOf = (length: number): Buffer => {
  if (length < 0x80) return Buffer.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return Buffer.of(0x80 | bytes.length, ...bytes);
};

export const value = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag), lengthOf(content.length), content]);
};

export const sequence = (...parts: Uint8Array[]): Buffer => value(0x30, ...parts);
export const setOf = (part: Uint8Array): Buffer => value(0x31, part);
export const octets = (...parts: Uint8Array[]): Buffer => value(0x04, ...parts);
export const boolean = (yes: boolean): Buffer => value(0x01, Buffer.of(yes ? 0xff : 0));
export const utf8 = (text: string): Buffer => value(0x0c, Buffer.from(text, 'utf8'));
/** Whole bytes, most significant bit first; `unused` bits at the end of the last byte do not count. */
export const bits = (bytes: Uint8Array, unused = 0): Buffer => value(0x03, Buffer.of(unused), bytes);
/** Context-specific `[number]`: constructed around values, primitive around bytes. */
export const tagged = (number: number, ...parts: Uint8Array[]): Buffer => value(0xa0 | number, ...parts);
export const taggedBytes = (number: number, bytes: Uint8Array): Buffer => value(0x80 | number, bytes);

/** Big-endian magnitude of a number that is not negative. */
export const integer = (magnitude: Uint8Array): Buffer => {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const body = Buffer.from(magnitude.subarray(start));
  return value(0x02, (body[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), body]) : body);
};

export const oid = (dotted: string): Buffer => {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [first * 40 + second];
  for (const arc of rest) {
    const group = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) group.unshift(0x80 | (left & 0x7f));
    bytes.push(...group);
  }
  return value(0x06, Buffer.from(bytes));
};

/** Whole seconds; two-digit years through 2049, as RFC 5280 4.1.2.5 demands. */
export const time = (ms: number): Buffer => {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return Number(digits.slice(0, 4)) < 2050
    ? value(0x17, Buffer.from(digits.slice(2), 'ascii'))
    : value(0x18, Buffer.from(digits, 'ascii'));
};

export interface Element {
  tag: number;
  /** Tag, length and content: what a signature covers. */
  whole: Buffer;
  content: Buffer;
}

/** The elements that `bytes` consist of, one after the other; INVALID_ARGUMENT when they do not fill it exactly. */
export const elements = (bytes: Buffer): Element[] => {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] as number;
    let length = bytes[at + 1];
    let start = at + 2;
    if ((tag & 0x1f) === 0x1f || length === undefined || length === 0x80 || length > 0x83) throw notDer();
    if (length > 0x80) {
      const count = length - 0x80;
      if (start + count > bytes.length) throw notDer();
      length = bytes.readUIntBE(start, count);
      if (length < 0x80 || length < 2 ** (8 * (count - 1))) throw notDer();
      start += count;
    }
    const end = start + length;
    if (end > bytes.length) throw notDer();
    found.push({ tag, whole: bytes.subarray(at, end), content: bytes.subarray(start, end) });
    at = end;
  }
  return found;
};

const notDer = (): FleetError => new FleetError('INVALID_ARGUMENT', 'not a DER value: its lengths do not fit');
