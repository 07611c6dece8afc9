/**
 * A span's text as what may be written to a terminal: visible characters with the columns that the source gave them.
 * Controls, invisible and direction-changing characters and private use leave marks; nothing is wider than its columns.
 */

import { cleanText } from '../../domain/clean-text.ts';
import { cellsOf, type JoiningRules, NEWEST_RULES, type TextCell } from '../../screen/text-columns.ts';
import type { Span } from '../../wire/gen/fleet/v1/terminal.ts';

/** `text` has no control and nothing invisible; plain pieces are printable ASCII, as long as their columns. */
export interface Piece {
  text: string;
  columns: number;
  isPlain: boolean;
}

const PLAIN = /^[\x20-\x7e]*$/;
const MARK = '\ufffd';
/** Means something to some terminals, nothing to others. The private use of icon fonts (BMP) is one column everywhere. */
const WITHOUT_MEANING = /[\u{f0000}-\u{10ffff}\p{Cn}]/u;
const WITH_MARKS = /^(.)(\p{M}*)$/su;
/** Pictures built of several, which every terminal may draw as it can: joined, widened by a selector, keycaps, flags. */
const PICTURE =
  /^(?:[0-9#*]\ufe0f?\u20e3|\p{RI}{2}|\p{Extended_Pictographic}[\ufe0e\ufe0f]?\p{EMod}?(?:\u200d\p{Extended_Pictographic}[\ufe0e\ufe0f]?\p{EMod}?)*)$/u;

/** Pieces of together exactly `span.columns` columns. */
export const safePieces = (span: Span): Piece[] => {
  const { text, columns } = span;
  if (PLAIN.test(text) && text.length >= columns) return [plainPiece(text.slice(0, columns))];
  const pieces: Piece[] = [];
  let room = columns;
  for (const cell of gridCells(text, columns)) {
    if (cell.columns > room) break;
    room -= cell.columns;
    const last = pieces.at(-1);
    if (cell.columns === 1 && PLAIN.test(cell.text) && last?.isPlain) {
      last.text += cell.text;
      last.columns += 1;
    } else pieces.push(safePiece(cell));
  }
  if (room > 0) pieces.push(plainPiece(' '.repeat(room)));
  return pieces;
};

const plainPiece = (text: string): Piece => ({ text, columns: text.length, isPlain: true });

const safePiece = ({ text, columns }: TextCell): Piece => {
  const isPlain = columns === 1 && text.length === 1 && PLAIN.test(text);
  return { text: isPlain ? text : safeCell(text), columns, isPlain };
};

/** One cell: its character and the marks on it; what hides in it is shown in its place. */
const safeCell = (text: string): string => {
  if (PICTURE.test(text) && !WITHOUT_MEANING.test(text)) return text;
  const [, first, marks = ''] = WITH_MARKS.exec(text) ?? [];
  if (first === undefined || WITHOUT_MEANING.test(text)) return MARK;
  const clean = cleanText(first + marks);
  return clean.includes(MARK) ? MARK : clean;
};

/** Of all versions of tmux; which one the source has is not told. */
const ALL_RULES: readonly JoiningRules[] = [
  NEWEST_RULES,
  { widening: true, pairing: false },
  { widening: false, pairing: false },
];

/** By the rules that give the text just these columns; where none do, as near as can be. */
const gridCells = (text: string, columns: number): TextCell[] => {
  for (const rules of ALL_RULES) {
    const cells = cellsOf(text, rules);
    if (cells.every((cell) => cell.columns > 0) && widthOf(cells) === columns) return cells;
  }
  return fitted(cellsOf(text), columns);
};

const widthOf = (cells: readonly TextCell[]): number => cells.reduce((sum, cell) => sum + cell.columns, 0);

/** Cells as wide as the source says: characters of which programs think differently give way. Columns are 1 or 2. */
const fitted = (cells: TextCell[], columns: number): TextCell[] => {
  const shown = cells.map(({ text, columns: own }) => ({ text, columns: Math.min(2, Math.max(1, own)) }));
  let missing = columns - widthOf(shown);
  for (const cell of shown) {
    if (missing === 0) break;
    if (isSure(cell.text)) continue;
    if (missing > 0 && cell.columns === 1) {
      cell.columns = 2;
      missing -= 1;
    } else if (missing < 0 && cell.columns === 2) {
      cell.columns = 1;
      missing += 1;
    }
  }
  return shown;
};

/** Blocks on whose widths every program agrees: Latin, Greek, Cyrillic, lines, kana, ideographs, hangul. */
const SURE = /^[\x20-\x7e\xa1-\u02ff\u0370-\u03ff\u0400-\u052f\u2500-\u257f\u3041-\u30ff\u4e00-\u9fff\uac00-\ud7a3]$/;
const isSure = (cell: string): boolean => SURE.test(cell);
