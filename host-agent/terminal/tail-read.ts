/** One look at a pane's text and so much of its history: the lines as they were written, and which rows each takes. */
import { lookAtPane, type PaneFacts } from '../tmux/pane-look.ts';
import type { Ask } from '../tmux/questions.ts';

export interface TailLine {
  text: string;
  /** Rows counted from the oldest that tmux keeps. */
  firstRow: number;
  rows: number;
}

export interface TailRead {
  facts: PaneFacts;
  lines: TailLine[];
  /** Texts of the rows from `firstRow` on. */
  rows: string[];
  firstRow: number;
}

/** Without `-e` tmux prints no sequences: what is dropped are controls that it never prints either. */
const textOf = (raw: Buffer): string => plainText(raw.toString('utf8'));

export const plainText = (text: string): string => text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, ' ');

/** `depth` rows of history and the screen; of a full-screen program its screen alone. */
export const readTail = async (
  ask: Ask,
  pane: { paneId: string; panePid: number },
  depth: number,
  signal: AbortSignal,
): Promise<TailRead> => {
  const from = ['-S', `-${depth}`];
  let joined: Buffer[] = [];
  const both: Ask = async (commands, each) => {
    const marked = [
      ...commands,
      ['display-message', '-p', JOINED],
      ['capture-pane', '-p', '-J', ...from, '-t', pane.paneId],
    ];
    const lines = await ask(marked, each);
    const at = lines.findLastIndex((line) => line.toString('latin1') === JOINED);
    joined = lines.slice(at + 1);
    return lines.slice(0, at);
  };
  const { facts, lines } = await lookAtPane(both, pane, ['-N', ...from], signal);
  const firstRow = Math.max(0, facts.historyLines - depth);
  const rows = lines.map(textOf);
  // An alternate screen has no history of its own; tmux prints the normal one's above it.
  const skip = facts.alternateScreen ? Math.max(0, rows.length - facts.height) : 0;
  if (skip > 0)
    return {
      facts,
      rows: rows.slice(skip),
      firstRow: firstRow + skip,
      lines: unjoined(rows.slice(skip), firstRow + skip),
    };
  return { facts, rows, firstRow, lines: joinedLines(joined.map(textOf), rows, firstRow) };
};

const JOINED = 'fleet-joined-lines';

const unjoined = (rows: readonly string[], firstRow: number): TailLine[] =>
  rows.map((text, index) => ({ text: text.trimEnd(), firstRow: firstRow + index, rows: 1 }));

/** Which rows a line was wrapped into: those that it consists of, the last of them perhaps with blanks behind. */
const joinedLines = (texts: readonly string[], rows: readonly string[], firstRow: number): TailLine[] => {
  const lines: TailLine[] = [];
  let at = 0;
  for (const text of texts) {
    const first = at;
    let rest = text;
    while (at < rows.length - 1) {
      const row = rows[at] as string;
      if (row === '' || row.length >= rest.length || !rest.startsWith(row)) break;
      rest = rest.slice(row.length);
      at += 1;
    }
    at += 1;
    lines.push({ text: text.trimEnd(), firstRow: firstRow + first, rows: at - first });
  }
  return lines;
};
