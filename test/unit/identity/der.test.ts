import { describe, expect, it } from 'vitest';
import { bits, elements, integer, octets, oid, sequence, time } from '../../../src/identity/der.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('DER', () => {
  it('is written as X.690 says', () => {
    expect(hex(oid('1.2.840.10045.4.3.2'))).toBe('06082a8648ce3d040302');
    expect(hex(integer(Buffer.of(0)))).toBe('020100');
    expect(hex(integer(Buffer.of(0, 0, 0x7f)))).toBe('02017f');
    expect(hex(integer(Buffer.of(0x80)))).toBe('02020080');
    expect(hex(bits(Buffer.of(0x06), 1))).toBe('03020106');
    expect(hex(time(Date.UTC(2049, 11, 31, 23, 59, 59, 999)))).toBe(`170d${hex(Buffer.from('491231235959Z'))}`);
    expect(hex(time(Date.UTC(2050, 0, 1)))).toBe(`180f${hex(Buffer.from('20500101000000Z'))}`);
  });

  it.each([0, 127, 128, 255, 256, 65_535, 65_536])('of %i bytes is read as it was written', (length) => {
    const content = Buffer.alloc(length, 7);
    const [first, second, ...rest] = elements(Buffer.concat([octets(content), sequence()]));
    expect(first?.content.equals(content)).toBe(true);
    expect(first?.whole.equals(octets(content))).toBe(true);
    expect([second?.tag, rest]).toEqual([0x30, []]);
  });

  it.each([
    ['content that is missing', '3005'],
    ['length that is missing', '30'],
    ['length bytes that are missing', '3082'],
    ['indefinite length', '30800000'],
    ['length longer than needed', `308105${'00'.repeat(5)}`],
    ['length with a leading zero', `30820080${'00'.repeat(128)}`],
    ['length of four bytes', '308400000001ff'],
    ['tag of several bytes', '1f8101'],
  ])('with %s is refused', (_what, text) => {
    expect(() => elements(Buffer.from(text, 'hex'))).toThrow(/not a DER value/);
  });
});
