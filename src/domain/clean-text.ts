/**
 * Text from a host made safe for a terminal: no control, no invisible or direction-changing character survives,
 * each leaves a visible mark. Widths are terminal cells.
 */

/** What may not reach a terminal raw: C0, DEL, C1, format characters (bidi, zero width), separators, surrogates. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;
const VARIATION_SELECTORS = /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu;
const OTHER_SPACES = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g;
/** More marks than this on one letter reach into the lines above and below. */
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu;
const LEADING_MARK = /^\p{M}/u;
const PLAIN = /^[\x20-\x7e]*$/;

/** One line of visible text. `\n` becomes `␊`, ESC `␛`, what has no picture `�`; an empty string stays empty. */
export const cleanText = (text: string): string => {
  if (PLAIN.test(text)) return text;
  const visible = text
    .toWellFormed()
    .replace(VARIATION_SELECTORS, '')
    .replace(UNSAFE, picture)
    .replace(OTHER_SPACES, ' ')
    .replace(STACKED_MARKS, '$1');
  return LEADING_MARK.test(visible) ? `\u25cc${visible}` : visible;
};

const picture = (character: string): string => {
  const code = character.codePointAt(0) as number;
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
};

/** Where one character on the screen may be several code points; a cleaned text has no joiners. */
const COMPOSED = /[\p{M}\p{Emoji_Modifier}\p{Regional_Indicator}\u1160-\u11ff\ud7b0-\ud7ff]/u;

/** Only where it is needed: the first segmenter of a process costs more than everything else a table does. */
const charactersOf = (text: string): string[] =>
  COMPOSED.test(text)
    ? Array.from(new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text), ({ segment }) => segment)
    : [...text];

/** Terminal cells that a cleaned text takes. */
export const textWidth = (text: string): number =>
  PLAIN.test(text)
    ? text.length
    : charactersOf(text).reduce((width, character) => width + characterWidth(character), 0);

const EMOJI = /^(?:\p{Emoji_Presentation}|\p{Regional_Indicator})/u;

const characterWidth = (character: string): 0 | 1 | 2 => {
  const code = character.codePointAt(0) as number;
  if (code < 0x300) return 1;
  if (/^\p{M}/u.test(character)) return 0;
  return isWide(code) || EMOJI.test(character) ? 2 : 1;
};

/** East Asian Wide and Fullwidth of UAX #11 in blocks; unassigned points inside a block count as the block does. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f2ff],
  [0x20000, 0x3fffd],
];

const isWide = (code: number): boolean => WIDE.some(([first, last]) => code >= first && code <= last);

/** Cut at the end to at most `width` cells, the last of them `…` when anything was cut. */
export const cutEnd = (text: string, width: number): string => {
  if (textWidth(text) <= width) return text;
  return width < 1 ? '' : `${takeStart(text, width - 1)}…`;
};

/** Cut in the middle to at most `width` cells: names that differ at either end stay apart. */
export const cutMiddle = (text: string, width: number): string => {
  if (textWidth(text) <= width) return text;
  if (width < 3) return cutEnd(text, width);
  const start = takeStart(text, Math.ceil((width - 1) / 2));
  let room = width - 1 - textWidth(start);
  let end = '';
  for (const character of charactersOf(text).reverse()) {
    room -= characterWidth(character);
    if (room < 0) break;
    end = character + end;
  }
  return `${start}…${end}`;
};

const takeStart = (text: string, width: number): string => {
  let taken = '';
  let room = width;
  for (const character of charactersOf(text)) {
    room -= characterWidth(character);
    if (room < 0) break;
    taken += character;
  }
  return taken;
};
