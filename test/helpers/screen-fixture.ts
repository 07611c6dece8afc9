/**
 * Screens of real programs as they were recorded: a line of JSON with size, cursor and title, then what
 * `tmux capture-pane -p -e -N` printed. Comes in: such a file. Goes out: a picture.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ScreenPicture } from '../../src/screen/screen-log.ts';
import { textColumns } from '../../src/screen/text-columns.ts';
import type { Span } from '../../src/wire/gen/fleet/v1/terminal.ts';

const FOLDER = join(import.meta.dirname, '../fixtures/screens');

export const recordedScreen = (name: string): ScreenPicture =>
  parseRecording(readFileSync(join(FOLDER, `${name}.txt`), 'utf8'));

export const parseRecording = (text: string): ScreenPicture => {
  const [head, ...lines] = text.replace(/\n$/, '').split('\n');
  const facts = JSON.parse(head as string) as Record<string, number | string>;
  const height = Number(facts.height);
  const look = { foreground: 0, background: 0, attributes: 0 };
  const rows = lines.slice(0, height).map((line) => spansOf(line, look));
  while (rows.length < height) rows.push([]);
  return {
    width: Number(facts.width),
    height,
    cursorX: Number(facts.cursorX),
    cursorY: Number(facts.cursorY),
    cursorVisible: facts.cursorVisible === 1,
    alternateScreen: facts.alternateScreen === 1,
    capturedMs: 0,
    title: String(facts.title),
    historyLines: 0,
    rows,
  };
};

/** A picture of plain lines, for screens that no program drew. */
export const plainScreen = (lines: readonly string[], over: Partial<ScreenPicture> = {}): ScreenPicture => ({
  ...parseRecording(
    `${JSON.stringify({ width: 100, height: lines.length, cursorX: 0, cursorY: 0, cursorVisible: 1, alternateScreen: 0, title: '' })}\n${lines.join('\n')}`,
  ),
  ...over,
});

type Look = Pick<Span, 'foreground' | 'background' | 'attributes'>;

const spansOf = (line: string, look: Look): Span[] => {
  const spans: Span[] = [];
  for (const [, sgr, text] of line.matchAll(/\x1b\[([\d;]*)m|([^\x1b]+)/g)) {
    if (text === undefined) turn(look, (sgr ?? '').split(';').map(Number));
    else spans.push({ text, columns: textColumns(text), ...look, underlineColor: 0 });
  }
  return spans;
};

const BITS: Record<number, number> = { 1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 7: 32, 8: 64, 9: 128 };

const turn = (look: Look, codes: number[]): void => {
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] as number;
    if (code === 0) look.attributes = look.foreground = look.background = 0;
    else if (BITS[code] !== undefined) look.attributes |= BITS[code];
    else if (code === 39) look.foreground = 0;
    else if (code === 49) look.background = 0;
    else if (code === 38 || code === 48) {
      const deep = codes[i + 1] === 2;
      const [r = 0, g = 0, b = 0] = codes.slice(i + 2, i + 5);
      const color = deep ? 0x1000000 + r * 65_536 + g * 256 + b : (codes[i + 2] ?? 0) + 1;
      look[code === 38 ? 'foreground' : 'background'] = color;
      i += deep ? 4 : 2;
    } else if (code >= 30 && code <= 37) look.foreground = code - 29;
    else if (code >= 40 && code <= 47) look.background = code - 39;
    else if (code >= 90 && code <= 97) look.foreground = code - 81;
    else if (code >= 100 && code <= 107) look.background = code - 91;
  }
};
