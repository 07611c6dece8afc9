/**
 * In: rows as `capture-pane -e -N` prints them. Out: spans of printable text. The look goes on from row to row, as tmux
 * prints it. Never: an escape sequence, a control or a link handed on; what is not a look is dropped.
 */
import { cellsOf, type JoiningRules, NEWEST_RULES } from '../../src/screen/text-columns.ts';
import type { Span } from '../../src/wire/gen/fleet/v1/terminal.ts';
import { applySgr, DEFAULT_PEN, type Pen } from './pen.ts';

export interface ParsedRow {
  spans: readonly Span[];
  /** As it stands after the row: the next one begins with it. */
  pen: Pen;
}

/**
 * A sequence of tmux's: CSI, a string ended by ST or BEL, or a shift of the character set; or any other control. An
 * unended string swallows the rest of the row.
 */
const SEQUENCE =
  /\x1b\[([\x30-\x3f]*)[\x20-\x2f]*([\x40-\x7e])|\x1b[\]PX^_](?:[^\x07\x1b]|\x1b(?!\\))*(?:\x07|\x1b\\|$)|\x1b[\x20-\x2f]*[\x30-\x7e]|[\x00-\x1f\x7f-\x9f\u2028\u2029]/g;

/** DEC special graphics, from 0x60 on. */
const LINE_DRAWING = '◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·';

const drawn = (text: string): string =>
  text.replace(/[`-~]/g, (character) => LINE_DRAWING[character.charCodeAt(0) - 0x60] as string);

const TAB_STOP = 8;

export const parseRow = (raw: Buffer, start: Pen, width: number, rules: JoiningRules = NEWEST_RULES): ParsedRow => {
  const text = raw.toString('utf8');
  const row = new RowBuilder(width, rules);
  let pen = start;
  let from = 0;
  for (const match of text.matchAll(SEQUENCE)) {
    row.add(text.slice(from, match.index), pen);
    from = match.index + match[0].length;
    if (match[2] === 'm') pen = applySgr(pen, match[1] as string);
    else if (match[0] === '\x0e') pen = { ...pen, lineDrawing: true };
    else if (match[0] === '\x0f') pen = { ...pen, lineDrawing: false };
    else if (match[0] === '\t') row.add(' '.repeat(TAB_STOP - (row.columns % TAB_STOP)), pen);
  }
  row.add(text.slice(from), pen);
  return { spans: row.done(), pen };
};

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

class RowBuilder {
  readonly #width: number;
  readonly #rules: JoiningRules;
  readonly #spans: Span[] = [];
  columns = 0;

  constructor(width: number, rules: JoiningRules) {
    this.#width = width;
    this.#rules = rules;
  }

  add(text: string, pen: Pen): void {
    if (text === '') return;
    const shown = pen.lineDrawing ? drawn(text) : text;
    if (PRINTABLE_ASCII.test(shown)) {
      const room = this.#width - this.columns;
      const fits = shown.length <= room ? shown : shown.slice(0, room);
      this.#put(fits, fits.length, pen);
      return;
    }
    let taken = '';
    let columns = 0;
    for (const cell of cellsOf(shown, this.#rules)) {
      if (this.columns + columns + cell.columns > this.#width) break;
      taken += cell.text;
      columns += cell.columns;
    }
    this.#put(taken, columns, pen);
  }

  /** Blank cells at the end are left out: a row ends where something can be seen. */
  done(): Span[] {
    for (let last = this.#spans.at(-1); last && isPlain(last); last = this.#spans.at(-1)) {
      const text = last.text.trimEnd();
      const blanks = last.text.length - text.length;
      if (text !== '') {
        if (blanks > 0) this.#spans[this.#spans.length - 1] = { ...last, text, columns: last.columns - blanks };
        break;
      }
      this.#spans.pop();
    }
    return this.#spans;
  }

  #put(text: string, columns: number, pen: Pen): void {
    if (text === '') return;
    this.columns += columns;
    const last = this.#spans.at(-1);
    const { foreground, background, attributes, underlineColor } = pen;
    if (
      last &&
      last.foreground === foreground &&
      last.background === background &&
      last.attributes === attributes &&
      last.underlineColor === underlineColor
    ) {
      last.text += text;
      last.columns += columns;
    } else this.#spans.push({ text, columns, foreground, background, attributes, underlineColor });
  }
}

/** Looks of a blank that cannot be told from no cell at all. */
const isPlain = ({ text, background, attributes }: Span): boolean =>
  text.endsWith(' ') && background === 0 && (attributes & ~(1 | 2 | 4)) === 0;

/** Rows of one pane after the other: a row that stood anywhere in the picture before is not parsed again. */
export class CaptureParser {
  #held = new Map<string, ParsedRow>();

  /** As many rows as the screen is high; `rules` may not change in a parser's life. */
  parse(lines: readonly Buffer[], size: { width: number; height: number }, rules: JoiningRules): (readonly Span[])[] {
    const held = new Map<string, ParsedRow>();
    let pen = DEFAULT_PEN;
    const rows = Array.from({ length: size.height }, (_, y) => {
      const raw = lines[y] ?? Buffer.alloc(0);
      const key = `${size.width} ${pen.lineDrawing} ${pen.foreground} ${pen.background} ${pen.attributes} ${pen.underlineColor} ${raw.toString('latin1')}`;
      const row = this.#held.get(key) ?? held.get(key) ?? parseRow(raw, pen, size.width, rules);
      held.set(key, row);
      pen = row.pen;
      return row.spans;
    });
    this.#held = held;
    return rows;
  }
}
