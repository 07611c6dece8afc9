/**
 * A screen as rules read it: lines of text with the looks of their cells. Comes in: rows of runs, as hostile as any
 * program's output. Goes out: bounded lines, bottom rows first to be kept.
 */

/** Cells of one look; a wire Span is one. */
export interface StyledRun {
  text: string;
  columns: number;
  foreground: number;
  background: number;
  attributes: number;
}

export interface StyledScreen {
  title: string;
  rows: readonly (readonly StyledRun[])[];
  cursorX: number;
  cursorY: number;
}

/** Bits of `attributes`. */
export const DIM = 2;
export const REVERSE = 32;

/** No rule looks at more: a longer line is cut, of more rows the lowest count. */
const MAX_LINE = 400;
export const MAX_ROWS = 200;
const MAX_TITLE = 200;

export interface ScreenLine {
  /** Row on the screen. */
  y: number;
  /** Without blanks at the end. */
  text: string;
}

export interface ScreenText {
  title: string;
  /** Top to bottom, blank ones included. */
  lines: readonly ScreenLine[];
  /** Rows of the screen itself, by `y`. */
  rows: StyledScreen['rows'];
  cursorY: number;
}

export const screenText = ({ title, rows, cursorY }: StyledScreen): ScreenText => {
  const first = Math.max(0, rows.length - MAX_ROWS);
  return {
    title: title.slice(0, MAX_TITLE),
    lines: rows.slice(first).map((runs, index) => ({ y: first + index, text: lineOf(runs) })),
    rows,
    cursorY,
  };
};

const lineOf = (runs: readonly StyledRun[]): string => {
  let text = '';
  for (const run of runs) {
    text += run.text;
    if (text.length >= MAX_LINE) break;
  }
  return text.slice(0, MAX_LINE).trimEnd();
};

/** The lowest `count` lines that are not blank, top to bottom. */
export const lastNonBlank = (lines: readonly ScreenLine[], count: number): ScreenLine[] =>
  lines.filter(({ text }) => text !== '').slice(-count);

/** Columns before character `index` of a row; a run of narrow characters has one for each. */
export const columnOf = (runs: readonly StyledRun[], index: number): number => {
  let columns = 0;
  let before = index;
  for (const run of runs) {
    if (before < run.text.length) {
      return columns + (run.columns === run.text.length ? before : [...run.text.slice(0, before)].length);
    }
    before -= run.text.length;
    columns += run.columns;
  }
  return columns + before;
};

/** The runs that show characters `from` to `to` of a row, cut to them. */
export const runsBetween = (runs: readonly StyledRun[], from: number, to: number): StyledRun[] => {
  const found: StyledRun[] = [];
  let at = 0;
  for (const run of runs) {
    const text = run.text.slice(Math.max(0, from - at), Math.max(0, to - at));
    if (text !== '') found.push({ ...run, text });
    at += run.text.length;
  }
  return found;
};
