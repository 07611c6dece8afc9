/**
 * Rows to lines of text, fitted to a width. Every cell is cleaned here, so that nothing of a host reaches a
 * terminal raw. The last column is never cut.
 */
import { cleanText, cutEnd, cutMiddle, textWidth } from '../../domain/clean-text.ts';
import { type Painter, plain, type Style } from './paint.ts';

export interface Column<R> {
  title: string;
  /** null: unknown. A column that is null everywhere is left out. */
  cell: (row: R) => string | null;
  style?: (row: R) => Style | null;
  align?: 'right';
  /** Least width, so that values which come and go do not move the columns after it. */
  min?: number;
  /** Blank cells before it; 2 unless told. */
  gap?: number;
  /** How, and to what width, it may be cut where room is short. */
  cut?: { at: 'middle' | 'end'; least: number };
  /** Left out where room is short: the highest number goes first. */
  drop?: number;
  /** Only where there is room to spare. */
  extra?: boolean;
}

export interface TableOptions {
  /** Infinity: nothing is cut, and all extra columns are shown when `wide`. */
  width: number;
  wide: boolean;
  /** Cells that stand before the first column. */
  indent: number;
  paint: Painter;
}

export interface Table {
  header: string;
  /** The line after the indent, for the row at this index; `rowStyle` paints the whole line instead of its cells. */
  line: (index: number, rowStyle: Style | null) => string;
}

interface Fitted<R> {
  column: Column<R>;
  cells: (string | null)[];
  /** Of the cells; empty where nothing is painted. */
  styles: (Style | null)[];
  width: number;
}

/** Each row is looked at once, in its turn, and not kept. */
export const layTable = <R>(columns: readonly Column<R>[], rows: Iterable<R>, options: TableOptions): Table => {
  const shown = mayShowExtras(options) ? columns : columns.filter(({ extra }) => !extra);
  const filled = fill(shown, rows, options.paint !== plain).filter(({ cells }) => cells.some((cell) => cell !== null));
  const fitted = fitColumns(filled, options);
  const lineOf = (text: (entry: Fitted<R>) => string, style: (entry: Fitted<R>) => Style | null): string => {
    let line = '';
    let pending = '';
    for (const [position, entry] of fitted.entries()) {
      if (position > 0) pending += ' '.repeat(entry.column.gap ?? 2);
      const [before, content, after] = padded(text(entry), entry);
      pending += before;
      if (content === '') {
        pending += after;
        continue;
      }
      line += pending + options.paint(style(entry), content);
      pending = after;
    }
    return line;
  };
  return {
    header:
      ' '.repeat(options.indent) +
      lineOf(
        (entry) => entry.column.title,
        () => null,
      ),
    line: (index, rowStyle) => {
      const text = (entry: Fitted<R>) => entry.cells[index] ?? (entry === fitted.at(-1) ? '' : '-');
      if (rowStyle)
        return options.paint(
          rowStyle,
          lineOf(text, () => null),
        );
      return lineOf(text, (entry) => entry.styles[index] ?? null);
    },
  };
};

const fill = <R>(columns: readonly Column<R>[], rows: Iterable<R>, isPainted: boolean): Fitted<R>[] => {
  const entries = columns.map((column): Fitted<R> => {
    return { column, cells: [], styles: [], width: Math.max(column.min ?? 0, column.title.length) };
  });
  for (const row of rows) {
    for (const entry of entries) {
      const { column, cells, styles } = entry;
      const cell = column.cell(row);
      const text = cell === null ? null : cleanText(cell);
      cells.push(text);
      if (text !== null) entry.width = Math.max(entry.width, textWidth(text));
      if (isPainted) styles.push(column.style?.(row) ?? null);
    }
  }
  return entries;
};

const totalWidth = (entries: readonly { column: Column<never>; width: number }[], indent: number): number =>
  entries.reduce((sum, { column, width }, position) => sum + width + (position > 0 ? (column.gap ?? 2) : 0), indent);

const fitColumns = <R>(filled: readonly Fitted<R>[], options: TableOptions): Fitted<R>[] => {
  const { width, indent } = options;
  let entries = filled.filter(({ column }) => !column.extra);
  while (totalWidth(entries, indent) > width) {
    const slack = entries.reduce((sum, entry) => sum + spare(entry), 0);
    const droppable = entries.filter(({ column }) => column.drop !== undefined);
    const excess = totalWidth(entries, indent) - width;
    if (excess <= slack) return shrink(entries, excess, spare);
    if (droppable.length === 0) return shrink(entries, excess, lastSpare);
    const first = droppable.reduce((a, b) => ((b.column.drop ?? 0) > (a.column.drop ?? 0) ? b : a));
    entries = entries.filter((entry) => entry !== first);
  }
  for (const extra of filled.filter(({ column }) => column.extra)) {
    const withExtra = filled.filter((entry) => entry === extra || entries.includes(entry));
    if (options.wide || totalWidth(withExtra, indent) <= width) entries = withExtra;
  }
  return entries;
};

/** What has no width has no room to spare. */
const mayShowExtras = ({ wide, width }: TableOptions): boolean => wide || Number.isFinite(width);

const spare = ({ column, width }: { column: Column<never>; width: number }): number =>
  column.cut ? Math.max(0, width - column.cut.least) : 0;

/** Where nothing else can go, names and states give way down to this, so that the last column stays whole. */
const LEAST_CELLS = 5;
const lastSpare: typeof spare = ({ column, width }) => (column.cut ? Math.max(0, width - LEAST_CELLS) : 0);

/** Takes the excess from the columns that may be cut: those cut at the end first, names in the middle last. */
const shrink = <R>(entries: readonly Fitted<R>[], excess: number, spareOf: typeof spare): Fitted<R>[] => {
  const taken = new Map<Fitted<R>, number>();
  let left = excess;
  for (const at of ['end', 'middle'] as const) {
    for (const entry of entries) {
      if (entry.column.cut?.at !== at) continue;
      const take = Math.min(left, spareOf(entry));
      taken.set(entry, take);
      left -= take;
    }
  }
  return entries.map((entry) => {
    const take = taken.get(entry) ?? 0;
    if (take === 0) return entry;
    const width = entry.width - take;
    const cut = entry.column.cut?.at === 'middle' ? cutMiddle : cutEnd;
    return { ...entry, width, cells: entry.cells.map((cell) => cell && cut(cell, width)) };
  });
};

const padded = <R>(text: string, { column, width }: Fitted<R>): [before: string, text: string, after: string] => {
  const blank = ' '.repeat(Math.max(0, width - textWidth(text)));
  return column.align === 'right' ? [blank, text, ''] : ['', text, blank];
};
