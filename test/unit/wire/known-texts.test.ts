import { expect, test } from 'vitest';
import { KnownTexts } from '../../../src/wire/known-texts.ts';

test('every text is read as it stands, however many others fell to its place before', () => {
  const texts = new KnownTexts();
  const all = Array.from({ length: 5_000 }, (_, n) => `agent-${n}${n % 7 === 0 ? 'é' : ''}`);
  for (const text of [...all, ...all, '', 'x'.repeat(300), '\ufeffmark']) {
    const bytes = Buffer.from(`<${text}>`);
    expect(texts.read(bytes, 1, bytes.length - 1)).toBe(text);
  }
});

test('what is no UTF-8 reads as the codec reads it', () => {
  const bytes = Buffer.from('61ffc3e29c', 'hex');
  expect(new KnownTexts().read(bytes, 0, bytes.length)).toBe(new TextDecoder().decode(bytes));
});
