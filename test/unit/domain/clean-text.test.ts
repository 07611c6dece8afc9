import { expect, test } from 'vitest';
import { cleanText, cutEnd, cutMiddle, textWidth } from '../../../src/domain/clean-text.ts';

test.each([
  ['plain text', 'canary-pi', 'canary-pi'],
  ['an escape sequence', 'a\x1b[31mred', 'a␛[31mred'],
  ['an OSC title with BEL', '\x1b]0;pwned\x07x', '␛]0;pwned␇x'],
  ['newlines and tabs', 'a\r\n\tb', 'a␍␊␉b'],
  ['DEL and a C1 CSI', 'a\x7f\x9b2Jb', 'a␡\ufffd2Jb'],
  ['right-to-left override', 'txt\u202egpj.exe', 'txt\ufffdgpj.exe'],
  ['isolates', 'a\u2066b\u2069', 'a\ufffdb\ufffd'],
  ['zero width space and joiner', 'a\u200bb\u200dc', 'a\ufffdb\ufffdc'],
  ['byte order mark, soft hyphen', '\ufeffa\u00adb', '\ufffda\ufffdb'],
  ['tag characters', 'a\u{e0041}b', 'a\ufffdb'],
  ['line separators', 'a\u2028b\u2029c', 'a\ufffdb\ufffdc'],
  ['filler that looks like nothing', 'a\u3164b\u2800c', 'a\ufffdb\ufffdc'],
  ['other spaces', 'a\u00a0b\u3000c', 'a b c'],
  ['half a surrogate pair', 'a\ud800b', 'a\ufffdb'],
  ['a mark without a letter', '\u0301x', '◌\u0301x'],
  ['a tower of marks', `e${'\u0301'.repeat(40)}`, `e${'\u0301'.repeat(3)}`],
  ['emoji stay', '🚀 naïve 日本', '🚀 naïve 日本'],
  ['nothing', '', ''],
])('%s', (_, raw, clean) => {
  expect(cleanText(raw)).toBe(clean);
});

test('no code point below space, no C1 and no format character survives, wherever it stands', () => {
  const all = Array.from({ length: 0x3000 }, (_, code) => String.fromCodePoint(code)).join('x');
  expect(cleanText(all)).not.toMatch(/[\x00-\x1f\x7f-\x9f\p{Cf}\u2028\u2029]/u);
});

test.each([
  ['abc', 3],
  ['日本', 4],
  ['ｆｕ', 4],
  ['é', 1],
  ['e\u0301', 1],
  ['🚀', 2],
  ['👍🏽', 2],
  ['🇩🇪', 2],
  ['한글', 4],
  ['–…·', 3],
  ['◌\u0301', 1],
])('%s is %i cells wide', (text, width) => {
  expect(textWidth(text)).toBe(width);
});

test.each([
  ['dogfood-orchestrator', 20, 'dogfood-orchestrator'],
  ['dogfood-orchestrator', 12, 'dogfoo…rator'],
  ['dogfood-orchestrator', 3, 'd…r'],
  ['dogfood-orchestrator', 2, 'd…'],
  ['日本語日本語', 7, '日…本語'],
  ['e\u0301e\u0301e\u0301e\u0301', 3, 'e\u0301…e\u0301'],
])('%s cut in the middle to %i', (text, width, cut) => {
  expect(cutMiddle(text, width)).toBe(cut);
  expect(textWidth(cut)).toBeLessThanOrEqual(width);
});

test('cut at the end never splits a wide character', () => {
  expect(cutEnd('日本語', 4)).toBe('日…');
  expect(cutEnd('abc', 0)).toBe('');
});
