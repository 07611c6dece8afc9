import { describe, expect, test } from 'vitest';
import { cropRow, rowText } from '../../../../src/cli/watch/crop-row.ts';
import { lookSequence, PLAIN_LOOK } from '../../../../src/cli/watch/look.ts';
import { Pan } from '../../../../src/cli/watch/pan.ts';
import { RowPen } from '../../../../src/cli/watch/row-pen.ts';
import { safePieces } from '../../../../src/cli/watch/safe-cells.ts';
import { splitKeys } from '../../../../src/cli/watch/split-keys.ts';
import { layTiles } from '../../../../src/cli/watch/tile-grid.ts';
import type { ScreenPicture } from '../../../../src/screen/screen-log.ts';
import type { Span } from '../../../../src/wire/gen/fleet/v1/terminal.ts';

const COLOURED = { colour: true, faded: false };
const span = (text: string, columns: number, over: Partial<Span> = {}): Span => ({
  ...PLAIN_LOOK,
  text,
  columns,
  ...over,
});
const cropped = (spans: Span[], x: number, width: number): string =>
  [...cropRow(spans, x, width)].map(({ piece }) => piece.text).join('');

describe('characters', () => {
  const texts = (text: string, columns: number): string[] => safePieces(span(text, columns)).map((piece) => piece.text);

  test('which cell is how wide is read from what all are together, as some version of tmux counts them', () => {
    const widths = (text: string, columns: number) => safePieces(span(text, columns)).map((piece) => piece.columns);
    // Ready, a warning with a selector, a skin tone: 3.3a, 3.4.
    expect(widths('✅⚠\ufe0f👍🏽', 7)).toEqual([2, 1, 2, 2]);
    expect(widths('✅⚠\ufe0f👍🏽', 6)).toEqual([2, 2, 2]);
  });

  test('ASCII is one piece, a wide character one of two columns', () => {
    expect(safePieces(span('ab世c', 5))).toEqual([
      { text: 'ab', columns: 2, isPlain: true },
      { text: '世', columns: 2, isPlain: false },
      { text: 'c', columns: 1, isPlain: true },
    ]);
  });

  test('what is too short is filled, what is too long is cut', () => {
    expect(texts('ab', 4)).toEqual(['ab', '  ']);
    expect(texts('abcdef', 3)).toEqual(['abc']);
    expect(texts('世界', 3)).toEqual(['世', ' ']);
  });

  test('a character of which programs think differently is as wide as the source says', () => {
    expect(safePieces(span('☃x', 3))).toEqual([
      { text: '☃', columns: 2, isPlain: false },
      { text: 'x', columns: 1, isPlain: true },
    ]);
    expect(safePieces(span('😀x', 2)).map(({ columns }) => columns)).toEqual([1, 1]);
  });

  test('what hides is shown in its place, pictures and accents stay', () => {
    expect(texts('\x1b[31m', 5)).toEqual(['␛', '[31m']);
    expect(texts('a\u200bb', 2)).toEqual(['\ufffd', 'b']);
    expect(texts('e\u0301', 1)).toEqual(['e\u0301']);
    expect(texts('👩🏽‍💻', 2)).toEqual(['👩🏽‍💻']);
    expect(texts('\ue0b0', 1)).toEqual(['\ue0b0']);
    expect(texts('\u{f0000}', 1)).toEqual(['\ufffd']);
  });
});

describe('a window of a row', () => {
  const row = [span('ab', 2), span('世界', 4), span('cd', 2)];

  test('goes over spans', () => {
    expect(cropped(row, 1, 4)).toBe('b世 ');
    expect(cropped(row, 0, 100)).toBe('ab世界cd');
    expect(cropped(row, 8, 10)).toBe('');
  });

  test('a wide character at either edge is blank', () => {
    expect(cropped(row, 3, 4)).toBe(' 界c');
    expect(cropped(row, 0, 3)).toBe('ab ');
    expect([...cropRow(row, 3, 4)].map(({ at }) => at)).toEqual([0, 1, 3]);
  });

  test('as text it has no blanks at its end', () => {
    expect(rowText([span('a ', 2), span('   ', 3)])).toBe('a');
  });
});

describe('looks', () => {
  test.each([
    [{}, '\x1b[0m'],
    [{ foreground: 1, background: 8 }, '\x1b[0;30;47m'],
    [{ foreground: 9, background: 16 }, '\x1b[0;90;107m'],
    [{ foreground: 17, background: 256 }, '\x1b[0;38;5;16;48;5;255m'],
    [{ foreground: 0x1000000, background: 0x1ffffff }, '\x1b[0;38;2;0;0;0;48;2;255;255;255m'],
    [{ attributes: 1 | 4 | 32 | 4_096 }, '\x1b[0;1;3;7;53m'],
    [{ attributes: 512, underlineColor: 2 }, '\x1b[0m\x1b[4m\x1b[4:3m\x1b[58:5:1m'],
  ])('%j', (look, sequence) => {
    expect(lookSequence({ ...PLAIN_LOOK, ...look }, COLOURED)).toBe(sequence);
  });

  test('without colours the rest stays; what is not current is dim', () => {
    const look = { ...PLAIN_LOOK, foreground: 2, attributes: 1 };
    expect(lookSequence(look, { colour: false, faded: false })).toBe('\x1b[0;1m');
    expect(lookSequence(look, { colour: true, faded: true })).toBe('\x1b[0;2m');
  });
});

test('after anything but ASCII the next cell is placed by its number', () => {
  const pen = new RowPen(4, COLOURED);
  for (const piece of safePieces(span('ab世c', 5))) pen.put(piece, PLAIN_LOOK);
  pen.put({ text: 'd', columns: 1, isPlain: true }, { ...PLAIN_LOOK, foreground: 2 });
  expect(pen.finish()).toBe('\x1b[5;1H\x1b[Kab世\x1b[5;5Hc\x1b[0;31md\x1b[0m');
});

describe('the window on a larger screen', () => {
  const screen = (width: number, height: number, cursorX: number, cursorY: number) =>
    ({ width, height, cursorX, cursorY }) as ScreenPicture;
  const window = { width: 40, height: 10 };

  test('shows the cursor, and the left edge wherever that shows it', () => {
    const pan = new Pan();
    expect(pan.offsetIn(screen(100, 50, 39, 49), window)).toEqual({ x: 0, y: 40 });
    expect(pan.offsetIn(screen(100, 50, 0, 0), window)).toEqual({ x: 0, y: 0 });
    const { x, y } = pan.offsetIn(screen(100, 50, 70, 25), window);
    expect(x).toBeGreaterThan(30);
    expect(x).toBeLessThanOrEqual(60);
    expect(y).toBeGreaterThan(15);
    expect(y).toBeLessThanOrEqual(25);
    expect(pan.offsetIn(screen(100, 50, 71, 25), window).x).toBe(x);
  });

  test('stays where a person put it, inside the screen, until it follows again', () => {
    const pan = new Pan();
    pan.offsetIn(screen(100, 50, 0, 49), window);
    pan.move(4, -1_000);
    expect(pan.offsetIn(screen(100, 50, 0, 49), window)).toEqual({ x: 4, y: 0 });
    pan.move(1_000, 1_000);
    expect(pan.offsetIn(screen(100, 50, 0, 0), window)).toEqual({ x: 60, y: 40 });
    expect(pan.offsetIn(screen(20, 5, 0, 0), window)).toEqual({ x: 0, y: 0 });
    pan.follow();
    expect(pan.offsetIn(screen(100, 50, 0, 0), window)).toEqual({ x: 0, y: 0 });
  });
});

describe('a grid', () => {
  test.each([
    [1, 80, 24],
    [2, 200, 50],
    [3, 100, 23],
    [7, 120, 40],
    [64, 60, 10],
    [5, 10, 2],
  ])('of %i tiles on %ix%i overlaps nowhere and stays inside', (views, width, height) => {
    const seen = new Set<number>();
    for (let selected = 0; selected < views; selected++) {
      const { tiles } = layTiles(views, selected, { width, height });
      const cells = new Set<string>();
      for (const tile of tiles) {
        seen.add(tile.view);
        expect(tile.column + tile.width).toBeLessThanOrEqual(width);
        expect(tile.row + tile.height).toBeLessThanOrEqual(height);
        for (let y = 0; y < tile.height; y++)
          for (let x = 0; x < tile.width; x++) {
            const cell = `${tile.column + x},${tile.row + y}`;
            expect(cells.has(cell)).toBe(false);
            cells.add(cell);
          }
      }
      expect(tiles.some(({ view }) => view === selected)).toBe(true);
    }
    expect(seen.size).toBe(views);
  });
});

test('keys that came together are told apart', () => {
  expect(splitKeys('a\x1b[A\x1bOBq\x03\x1b[5~\x1b')).toEqual(['a', 'up', 'down', 'q', '\x03', 'page up', '\x1b']);
});
