/** A table whose end is not known: rows come in batches, and those that come later stand under the same header. */
import { type Painter, plain } from '../render/paint.ts';
import { type Column, layTable } from '../render/table.ts';

export class RunningTable<R> {
  readonly #columns: readonly Column<R>[];
  readonly #paint: Painter;
  #hasHeader = false;

  /** Each column but the last has a least width, so that batches stand alike. */
  constructor(columns: readonly Column<R>[], paint: Painter = plain) {
    this.#columns = columns;
    this.#paint = paint;
  }

  /** The header comes before the first row. */
  lines(rows: readonly R[]): string[] {
    if (rows.length === 0) return [];
    const table = layTable(this.#columns, rows, { width: Infinity, wide: true, indent: 0, paint: this.#paint });
    const lines = rows.map((_, index) => table.line(index, null).trimEnd());
    if (this.#hasHeader) return lines;
    this.#hasHeader = true;
    return [table.header.trimEnd(), ...lines];
  }
}

/** Of a cell that is empty: the column must not vanish from one batch and be there in the next. */
export const dash = (text: string): string => (text === '' ? '-' : text);

/** `2026-01-31 09:05:02`, by this machine's clock and place. */
export const localTime = (ms: number): string => {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
};
