/** Finds on a screen where a runtime takes text, and what stands there: typed, or a hint of the program. */
import type { ComposerRule } from './prompt-rules.ts';
import { columnOf, DIM, lastNonBlank, REVERSE, runsBetween, type ScreenLine, type ScreenText } from './screen-text.ts';

export interface ComposerReading {
  /** Where its first character stands, or would. */
  y: number;
  x: number;
  /** Lines joined by `\n`, without blanks at the end of each. */
  text: string;
  placeholder: boolean;
}

export interface FoundComposer extends ComposerReading {
  /** Rows that it takes, its borders too. */
  top: number;
  bottom: number;
}

/** Below a composer stand a few lines of status at most, and it is no taller than this. */
const FROM_BOTTOM = 8;
const MAX_HEIGHT = 60;
/** Lines are cut where nothing follows; a marker may end with blanks. */
const BLANKS = ' '.repeat(8);

export const findComposer = (screen: ScreenText, rule: ComposerRule): FoundComposer | null => {
  const box = rule.below === null ? openBox(screen, rule) : closedBox(screen, rule, rule.below);
  if (box === null) return null;
  const kept = box.lines.filter(({ text }) => !rule.leaveOut.some((pattern) => pattern.test(text)));
  // Nothing is typed: it would come where the cursor stands.
  const written = kept.length > 0 ? kept : box.lines.filter(({ y }) => y === screen.cursorY);
  const first = written[0];
  if (first === undefined) return null;
  const marker = rule.marker === null ? 0 : lengthAt(rule.marker, first.text, prefixOf(rule, first));
  if (marker === null) return null;
  const starts = written.map((line, index) => prefixOf(rule, line) + (index === 0 ? marker : 0));
  const runs = written.map(({ y }, index) => runsBetween(screen.rows[y] ?? [], starts[index] as number, Infinity));
  const indent = rule.marker === null ? 0 : marker;
  const text = written
    .map((line, index) => {
      const own = line.text.slice(starts[index]).trimEnd();
      return index === 0 ? own : own.replace(new RegExp(`^ {0,${indent}}`), '');
    })
    .join('\n')
    .trimEnd();
  return {
    y: first.y,
    x: columnOf(screen.rows[first.y] ?? [], starts[0] as number),
    text,
    placeholder: text !== '' && isHint(rule, text, runs.flat()),
    top: box.top,
    bottom: box.bottom,
  };
};

interface Box {
  top: number;
  bottom: number;
  lines: ScreenLine[];
}

/** Between two borders, or above one, as far as the frame goes. */
const closedBox = ({ lines }: ScreenText, { above, frame }: ComposerRule, below: RegExp): Box | null => {
  const low = lastNonBlank(lines, FROM_BOTTOM);
  const closing = low.findLast(({ text }) => below.test(text));
  if (closing === undefined) return null;
  const before = lines.filter(({ y }) => y < closing.y).slice(-MAX_HEIGHT);
  const opening =
    above !== null
      ? before.findLastIndex(({ text }) => above.test(text))
      : before.findLastIndex(({ text }) => frame !== null && !frame.test(text));
  if (opening < 0 && above !== null) return null;
  const inside = before.slice(opening + 1);
  if (inside.length === 0 || (frame !== null && !inside.every(({ text }) => frame.test(text)))) return null;
  const top = above === null ? (inside[0] as ScreenLine).y : (before[opening] as ScreenLine).y;
  return { top, bottom: closing.y, lines: inside };
};

/** From the lowest line with the marker to the next blank one. */
const openBox = ({ lines, rows }: ScreenText, { marker }: ComposerRule): Box | null => {
  if (marker === null) return null;
  const lowest = lastNonBlank(lines, FROM_BOTTOM)[0]?.y ?? 0;
  const at = lines.findLastIndex(({ y, text }) => {
    const length = lengthAt(marker, text, 0);
    if (length === null) return false;
    // A message that was sent keeps its marker, dim.
    return !runsBetween(rows[y] ?? [], 0, length).some(({ attributes }) => (attributes & DIM) !== 0);
  });
  const first = lines[at];
  if (first === undefined) return null;
  const rest = lines.slice(at + 1, at + MAX_HEIGHT);
  const blank = rest.findIndex(({ text }) => text === '');
  const own = [first, ...rest.slice(0, blank < 0 ? rest.length : blank)];
  const last = own.at(-1) as ScreenLine;
  return last.y < lowest ? null : { top: first.y, bottom: last.y, lines: own };
};

const prefixOf = ({ frame }: ComposerRule, { text }: ScreenLine): number =>
  frame === null ? 0 : (lengthAt(frame, text, 0) ?? 0);

/** Length of what fits right at `from`; null when nothing does. */
const lengthAt = (pattern: RegExp, text: string, from: number): number | null => {
  const match = pattern.exec(`${text.slice(from)}${BLANKS}`);
  return match === null || match.index !== 0 ? null : match[0].length;
};

/** All that shows is dim or of a hint's colour, but for the one cell under a drawn cursor. */
const isHint = (rule: ComposerRule, text: string, runs: ReturnType<typeof runsBetween>): boolean => {
  if (rule.hintWords?.test(text)) return true;
  const shown = runs.filter((run) => run.text.trim() !== '');
  const plain = shown.filter(
    ({ attributes, foreground }) => (attributes & DIM) === 0 && !rule.hintColors.includes(foreground),
  );
  const cursors = plain.filter((run) => (run.attributes & REVERSE) !== 0 && [...run.text.trim()].length === 1);
  return shown.length > plain.length && plain.length === cursors.length && cursors.length <= 1;
};
