/** What a terminal shows of watched agents, as finished rows and the place of the cursor: one agent, or a grid of tiles. */
import { cleanText, cutEnd, cutMiddle, textWidth } from '../../domain/clean-text.ts';
import { cropRow } from './crop-row.ts';
import { type Look, type LookOptions, PLAIN_LOOK, withAttribute } from './look.ts';
import type { Offset, Pan, Size } from './pan.ts';
import { RowPen } from './row-pen.ts';
import type { Tile } from './tile-grid.ts';
import { currencyWords, isCurrent, statusLine } from './view-words.ts';
import type { WatchedAgent } from './watched-agent.ts';

export interface Composed {
  /** One for each row of the terminal, with its own place in it. */
  rows: string[];
  /** Null: none is drawn. */
  cursor: { row: number; column: number } | null;
}

export interface ComposeOptions {
  terminal: Size;
  colour: boolean;
  nowMono: number;
}

/** One agent and how it is looked at. */
export interface View {
  agent: WatchedAgent;
  pan: Pan;
}

interface Window extends Size {
  row: number;
  column: number;
}

/** As in the picture. */
const WITHOUT_MEANING = /[\u{f0000}-\u{10ffff}\p{Cn}]/gu;
const BLANK = { text: ' ', columns: 1, isPlain: true };
const REVERSED = withAttribute(PLAIN_LOOK, 'reverse');
const FAINT = withAttribute(PLAIN_LOOK, 'dim');

export const composeSingle = ({ agent, pan }: View, keys: string, options: ComposeOptions): Composed => {
  const { terminal, nowMono } = options;
  const window = { row: 0, column: 0, width: terminal.width, height: Math.max(1, terminal.height - 1) };
  const pens = pensFor(options);
  const offset = agent.picture ? pan.offsetIn(agent.picture, window) : { x: 0, y: 0 };
  const cursor = drawPicture(agent, offset, window, pens, options);
  const line = statusLine(agent, { nowMono, window, offset, follows: pan.follows, keys });
  const last = pens[terminal.height - 1];
  if (terminal.height > 1 && last) putText(last, line, terminal.width, REVERSED);
  return { rows: pens.map((pen) => pen.finish()), cursor };
};

/** `selected` is the tile with the keys. */
export const composeGrid = (
  views: readonly View[],
  tiles: readonly Tile[],
  selected: number,
  footer: string,
  options: ComposeOptions,
): Composed => {
  const { terminal, nowMono } = options;
  const pens = pensFor(options);
  // From left to right: a tile's row begins where the one before it ends.
  for (const { view: index, row, column, width, height } of tiles) {
    const view = views[index];
    if (!view) continue;
    const { agent, pan } = view;
    const title = ` ${index === selected ? '▸' : ' '}${titleOf(view, nowMono, width - 2)}`;
    const bar = pens[row];
    bar?.moveTo(column);
    if (bar) putText(bar, title, width, index === selected ? withAttribute(REVERSED, 'bold') : REVERSED);
    const window = { row: row + 1, column, width, height: height - 1 };
    const offset = agent.picture ? pan.offsetIn(agent.picture, window) : { x: 0, y: 0 };
    drawPicture(agent, offset, window, pens, options, true);
  }
  const last = pens[terminal.height - 1];
  if (last) putText(last, cleanText(footer), terminal.width, FAINT);
  return { rows: pens.map((pen) => pen.finish()), cursor: null };
};

/** The agent's own name stands last in an address: where there is no room for all of it, its middle goes. */
const titleOf = ({ agent }: View, nowMono: number, width: number): string => {
  const writer = agent.status?.writer;
  const words = cleanText(`${currencyWords(agent, nowMono)}${writer ? ` · ${writer} types` : ''}`);
  const room = Math.max(width - textWidth(words) - 3, Math.ceil((width * 2) / 3));
  return `${cutMiddle(cleanText(agent.address), room)} · ${words}`;
};

const pensFor = ({ terminal, colour }: ComposeOptions): RowPen[] =>
  Array.from({ length: terminal.height }, (_, row) => new RowPen(row, { colour, faded: false } satisfies LookOptions));

/** The place of the agent's cursor on the terminal, where the window shows it; in a tile it is drawn as a cell. */
const drawPicture = (
  agent: WatchedAgent,
  offset: Offset,
  window: Window,
  pens: readonly RowPen[],
  { nowMono }: ComposeOptions,
  drawsCursor = false,
): Composed['cursor'] => {
  const { picture } = agent;
  if (!picture) return null;
  const isFaded = !isCurrent(agent, nowMono);
  const column = picture.cursorX - offset.x;
  const row = picture.cursorY - offset.y;
  const isInside = column >= 0 && column < window.width && row >= 0 && row < window.height;
  const cursor = picture.cursorVisible && !isFaded && isInside ? { row, column } : null;
  for (let y = 0; y < window.height; y++) {
    const spans = picture.rows[offset.y + y];
    const pen = pens[window.row + y];
    if (!spans || !pen) continue;
    const under = drawsCursor && cursor?.row === y ? cursor.column : null;
    for (const { at, piece, look } of cropRow(spans, offset.x, window.width)) {
      pen.moveTo(window.column + at);
      pen.put(piece, look, isFaded);
    }
    if (under !== null) drawCursor(pen, window.column + under, spans, offset.x + under);
  }
  return cursor && { row: window.row + cursor.row, column: window.column + cursor.column };
};

/** Its cell again, reversed; a wide one whole. */
const drawCursor = (pen: RowPen, column: number, spans: Parameters<typeof cropRow>[0], x: number): void => {
  const [under] = cropRow(spans, x, 2);
  const piece = under?.at === 0 ? under.piece : BLANK;
  pen.moveTo(column);
  pen.put(
    piece.isPlain ? { ...piece, text: piece.text.slice(0, 1), columns: 1 } : piece,
    withAttribute(under?.at === 0 ? under.look : PLAIN_LOOK, 'reverse'),
  );
};

/** Clean text over the whole width, cut or filled with blanks. */
const putText = (pen: RowPen, text: string, width: number, look: Look): void => {
  const shown = cutEnd(text.replace(WITHOUT_MEANING, '\ufffd'), width);
  const columns = textWidth(shown);
  pen.put({ text: shown, columns, isPlain: /^[\x20-\x7e]*$/.test(shown) }, look);
  const blank = Math.max(0, width - columns);
  if (blank > 0) pen.put({ text: ' '.repeat(blank), columns: blank, isPlain: true }, look);
};
