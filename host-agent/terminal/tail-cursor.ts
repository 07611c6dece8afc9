/**
 * In: looks at a pane's text, one after the other. Out: the lines that are complete and were not told yet, and how many
 * are known to be lost. tmux counts no lines ever printed: rows are found again by their count and by their text.
 */
import type { TailRead } from './tail-read.ts';

/** Rows before the next line to tell, by which it is found again. */
const ANCHOR_ROWS = 8;
const TOLD_LINES = 4;
/** Beyond what is new, so that the anchor is among what is read. */
const MARGIN_ROWS = 64;
const MAX_DEPTH = 10_000;

export interface TailNews {
  text: string[];
  /** At least so many came and went; how many more, tmux does not know. */
  missed: number;
}

export class TailCursor {
  /** Row of the first line that was not told, counted as at the last look. */
  #row = 0;
  #historyLines = 0;
  #width = 0;
  #anchor: string[] = [];
  #told: string[] = [];
  #rest: string[] = [];
  #wasFullScreen = false;

  /** The last `count` lines, blank ones at the end left out; with `all` also the one that is still being written. */
  first(read: TailRead, count: number, all: boolean): string[] {
    const complete = all || read.facts.alternateScreen ? read.lines : this.#complete(read);
    const texts = complete.map(({ text }) => text);
    while (texts.at(-1) === '') texts.pop();
    this.#row = read.firstRow;
    this.#keep(read);
    const tail = texts.slice(-count);
    this.#told = tail.slice(-TOLD_LINES);
    return tail;
  }

  /** How much history the next look needs; `historyLines` as last seen. */
  depth(historyLines: number, historyLimit: number): number {
    const isTrimmed = historyLines >= historyLimit - historyLimit / 10;
    const fresh = isTrimmed ? historyLimit : Math.max(0, historyLines - this.#row);
    return Math.min(Math.max(fresh, ANCHOR_ROWS) + MARGIN_ROWS, MAX_DEPTH);
  }

  next(read: TailRead): TailNews {
    if (read.facts.alternateScreen) {
      const text = this.#wasFullScreen ? [] : read.lines.map((line) => line.text);
      this.#wasFullScreen = true;
      while (text.at(-1) === '') text.pop();
      return { text, missed: 0 };
    }
    this.#wasFullScreen = false;
    const row = read.facts.width === this.#width ? this.#found(read) : this.#refound(read);
    const missed = Math.max(0, read.firstRow - row);
    this.#row = Math.max(row, read.firstRow);
    const text = this.#complete(read).flatMap((line) => (line.firstRow >= this.#row ? [line.text] : []));
    this.#keep(read);
    this.#told = [...this.#told, ...text].slice(-TOLD_LINES);
    return { text, missed };
  }

  /** What was still being written at the last look. */
  rest(): string[] {
    return this.#rest;
  }

  /** Lines above the one in which the cursor stands; of a dead pane all. */
  #complete({ facts, lines }: TailRead) {
    if (facts.dead) return lines.slice(0, lines.findLastIndex(({ text }) => text !== '') + 1);
    const cursorRow = facts.historyLines + facts.cursorY;
    return lines.filter(({ firstRow, rows }) => firstRow + rows <= cursorRow);
  }

  #keep(read: TailRead): void {
    const complete = this.#complete(read);
    const last = complete.at(-1);
    this.#row = Math.max(this.#row, last ? last.firstRow + last.rows : read.firstRow);
    const end = this.#row - read.firstRow;
    this.#anchor = read.rows.slice(Math.max(0, end - ANCHOR_ROWS), end);
    this.#rest = read.lines.flatMap(({ text, firstRow }) => (firstRow >= this.#row && text !== '' ? [text] : []));
    this.#historyLines = read.facts.historyLines;
    this.#width = read.facts.width;
  }

  /**
   * Full history loses its oldest tenth at once, so the row may have moved by any number of tenths; a cleared history
   * moves it by all that was there.
   */
  #found(read: TailRead): number {
    const { historyLines, historyLimit } = read.facts;
    const step = Math.max(1, Math.floor(historyLimit / 10));
    const end = read.firstRow + read.rows.length;
    const shifts = [0];
    if (historyLines < this.#historyLines) shifts.push(this.#historyLines - historyLines);
    for (let shift = step; this.#row - shift >= read.firstRow; shift += step) shifts.push(shift);
    let best = { row: this.#row, score: -1 };
    for (const shift of shifts) {
      const row = this.#row - shift;
      if (row > end || row < 0) continue;
      const score = this.#score(read, row);
      if (score > best.score) best = { row, score };
    }
    if (best.score > 0 || this.#anchor.length === 0) return best.row;
    // Nothing of what was told is there any more.
    const isTrimmed = historyLines >= historyLimit - step;
    if (!isTrimmed) return Math.min(this.#row, end);
    let row = this.#row;
    while (row >= read.firstRow) row -= step;
    return row;
  }

  #score(read: TailRead, row: number): number {
    const at = row - read.firstRow;
    return this.#anchor.filter((text, index) => {
      const y = at - this.#anchor.length + index;
      return y >= 0 && read.rows[y]?.trimEnd() === text.trimEnd();
    }).length;
  }

  /** After another width every line has other rows: the lines that were told last are looked for. */
  #refound(read: TailRead): number {
    for (let at = read.lines.length; at >= this.#told.length && this.#told.length > 0; at--) {
      const isHere = this.#told.every((text, index) => read.lines[at - this.#told.length + index]?.text === text);
      if (isHere) return read.lines[at]?.firstRow ?? read.firstRow + read.rows.length;
    }
    const last = this.#complete(read).at(-1);
    return last ? last.firstRow + last.rows : read.firstRow;
  }
}
