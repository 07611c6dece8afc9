/** A window of one row: the pieces in it, with their looks. A wide character that the window cuts is blank there. */
import type { Span } from '../../wire/gen/fleet/v1/terminal.ts';
import { type Piece, safePieces } from './safe-cells.ts';

export interface CroppedPiece {
  /** Column inside the window. */
  at: number;
  piece: Piece;
  look: Span;
}

export function* cropRow(spans: readonly Span[], x: number, width: number): Generator<CroppedPiece> {
  let start = 0;
  const end = x + width;
  for (const span of spans) {
    if (start >= end) return;
    if (start + span.columns > x) {
      let column = start;
      for (const piece of safePieces(span)) {
        const cut = cutPiece(piece, column, x, end);
        if (cut) yield { at: Math.max(column, x) - x, piece: cut, look: span };
        column += piece.columns;
      }
    }
    start += span.columns;
  }
}

const cutPiece = (piece: Piece, column: number, x: number, end: number): Piece | null => {
  const from = Math.max(0, x - column);
  const to = Math.min(piece.columns, end - column);
  if (to <= from) return null;
  if (from === 0 && to === piece.columns) return piece;
  const columns = to - from;
  return { text: piece.isPlain ? piece.text.slice(from, to) : ' '.repeat(columns), columns, isPlain: true };
};

/** A row without its looks; blank cells at its end are left out. */
export const rowText = (spans: readonly Span[]): string =>
  spans
    .flatMap((span) => safePieces(span))
    .map(({ text }) => text)
    .join('')
    .replace(/ +$/, '');
