/**
 * Screens of real programs as they were recorded: a line of JSON with size, cursor and title, then what
 * `tmux capture-pane -p -e -N` printed. Comes in: such a file. Goes out: a picture.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseRow } from '../../host-agent/terminal/parse-capture.ts';
import { DEFAULT_PEN } from '../../host-agent/terminal/pen.ts';
import type { ScreenPicture } from '../../src/screen/screen-log.ts';

const FOLDER = join(import.meta.dirname, '../fixtures/screens');

export const recordedScreen = (name: string): ScreenPicture =>
  parseRecording(readFileSync(join(FOLDER, `${name}.txt`), 'utf8'));

export const parseRecording = (text: string): ScreenPicture => {
  const [head, ...lines] = text.replace(/\n$/, '').split('\n');
  const facts = JSON.parse(head as string) as Record<string, number | string>;
  const height = Number(facts.height);
  const width = Number(facts.width);
  let pen = DEFAULT_PEN;
  const rows = Array.from({ length: height }, (_, y) => {
    const row = parseRow(Buffer.from(lines[y] ?? ''), pen, width);
    pen = row.pen;
    return row.spans;
  });
  return {
    width,
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

const BLANK = { cursorX: 0, cursorY: 0, cursorVisible: 1, alternateScreen: 0, title: '' };

/** A picture of plain lines, for screens that no program drew. */
export const plainScreen = (lines: readonly string[], over: Partial<ScreenPicture> = {}): ScreenPicture => ({
  ...parseRecording(
    `${JSON.stringify({ ...BLANK, width: Math.max(100, ...lines.map(({ length }) => length)), height: lines.length })}\n${lines.join('\n')}`,
  ),
  ...over,
});
