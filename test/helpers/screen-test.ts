/** What a terminal can be asked to draw, for a screen of 120x40 to be compared cell by cell. */

const WIDE = [
  'plain',
  '漢字かな交じり文',
  'ｆｕｌｌ ｗｉｄｔｈ',
  '한국어',
  'e\u0301a\u0308o\u0302',
  '😀🚀 emoji',
  '┌─┤box├─┐',
  'Ελληνικά',
];

/** 400 numbered lines. */
export const WIDE_LINES = Array.from(
  { length: 400 },
  (_, n) => `${n + 1} line ${n + 1}: ${WIDE[n % WIDE.length]}\n`,
).join('');

const sgr = (codes: string, text: string): string => `\x1b[${codes}m${text}\x1b[0m`;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

const BASIC = numbers(8).map(
  (n) => sgr(`${30 + n}`, 'fg') + sgr(`${90 + n}`, 'hi') + sgr(`${40 + n}`, 'bg') + sgr(`${100 + n}`, 'HI'),
);
const PALETTE = numbers(4).map((line) =>
  numbers(64)
    .map((n) => sgr(n % 2 ? `38;5;${line * 64 + n}` : `48;5;${line * 64 + n}`, '#'))
    .join(''),
);
const RGB = numbers(100).map((n) => sgr(`38;2;${n * 2};${255 - n * 2};128;48;2;0;${n};${255 - n}`, '▄'));
const ATTRIBUTES = [1, 2, 3, 4, 5, 7, 8, 9, 53, '1;3;4;7;9', '1;31;42'].map((code) => `${sgr(`${code}`, 'word')} `);
const UNDERLINES = numbers(5).map(
  (n) =>
    `${sgr(`4:${n + 1}`, 'plain')}${sgr(`4:${n + 1};58;2;1;200;${n}`, 'RGB')}${sgr(`4:${n + 1};58;5;${n + 20}`, '256')} `,
);

/** For `cat`; its last line is `end of the test`. */
export const SCREEN_TEST = [
  BASIC.join(''),
  ...PALETTE,
  RGB.join(''),
  ATTRIBUTES.join(''),
  UNDERLINES.join(''),
  '┌──┬──╖ ╭─╮ ▏▎▍▌▋▊▉█ ░▒▓ ⣿⡇ \x1b(0lqqwqqk x a t u v n mj\x1b(B',
  '世界 ｗｉｄｅ 한국어 日本語 e\u0301 a\u0308\u0301 o\u0302 ไทย',
  '😀 🚀 ☎ ✂ ⚡ ❤ 1️⃣ 👍🏽 🇩🇪 👩‍💻',
  sgr('44', 'a line to its end\x1b[K'),
  sgr('48;5;236;38;5;214', 'blanks that have a colour      '),
  `tab\tafter${sgr('7', '\ttab\t')}end`,
  // A wide character that has no room left goes to the next row.
  `${'.'.repeat(119)}界${sgr('1', '界')}`,
  `${'\x1b[31m\x1b[1m'}kept over the end of a line`,
  `still\x1b[0m not any more`,
  'over\rOVER\x1b[5Cfar\x1b[2Dnear\x1b[1@in\x1b[2P',
  'end of the test',
  '',
]
  .join('\n')
  .replaceAll(/(?<!\r)\n/g, '\r\n');
