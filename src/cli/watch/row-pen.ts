/**
 * Writes one row of the terminal from left to right. After anything but ASCII the next cell is placed by its number, so
 * that a terminal which thinks differently of a character's width shifts nothing. Takes safe pieces only.
 */
import { isSameLook, type Look, type LookOptions, lookSequence, PLAIN_LOOK } from './look.ts';
import type { Piece } from './safe-cells.ts';

const RESET = '\x1b[0m';

export class RowPen {
  /** Columns and rows count from 0 here, from 1 in sequences. */
  readonly #row: number | null;
  readonly #options: LookOptions;
  #out = '';
  #column = 0;
  #isPlaceSure = true;
  #look: Look | null = null;
  #isStyled = false;
  #wasFaded = false;

  /** Without a row nothing is placed: the text goes to a file. */
  constructor(row: number | null, options: LookOptions) {
    this.#row = row;
    this.#options = options;
  }

  get column(): number {
    return this.#column;
  }

  put(piece: Piece, look: Look, faded = false): void {
    this.#place();
    if (this.#look === null || !isSameLook(this.#look, look) || this.#wasFaded !== faded) {
      const isPlain = !faded && !this.#options.faded && isSameLook(look, PLAIN_LOOK);
      if (!isPlain) this.#out += lookSequence(look, { ...this.#options, faded: faded || this.#options.faded });
      else if (this.#isStyled) this.#out += RESET;
      this.#isStyled = !isPlain;
      this.#look = look;
      this.#wasFaded = faded;
    }
    this.#out += piece.text;
    this.#column += piece.columns;
    if (piece.isPlain) return;
    this.#isPlaceSure = false;
  }

  /** Leaves cells as the row was before: blank. */
  moveTo(column: number): void {
    if (column === this.#column) return;
    if (this.#row === null) this.#out += ' '.repeat(Math.max(0, column - this.#column));
    this.#column = column;
    this.#isPlaceSure = false;
  }

  /** The row whole: whatever stood there before is gone. */
  finish(): string {
    const reset = this.#isStyled ? RESET : '';
    if (this.#row === null) return `${this.#out}${reset}`;
    // Before it is written: after a row as wide as the terminal the cursor still stands on its last cell. And what a
    // terminal takes for narrower than it is leaves cells unwritten.
    return `${place(this.#row, 0)}\x1b[K${this.#out}${reset}`;
  }

  #place(): void {
    if (this.#isPlaceSure) return;
    this.#isPlaceSure = true;
    if (this.#row !== null) this.#out += place(this.#row, this.#column);
  }
}

export const place = (row: number, column: number): string => `\x1b[${row + 1};${column + 1}H`;
