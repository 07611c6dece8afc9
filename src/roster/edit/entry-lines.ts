/**
 * Which lines of a YAML roster are an agent's: those of its entry and what is said inside it, and the comment that stands
 * directly above. Gives null where entries do not begin on lines of their own.
 */
import { type Document, isMap, isSeq, type Node } from 'yaml';

export interface EntryLines {
  /** Of its first key, in characters. */
  column: number;
  /** First line of the comment directly above; `dash` where there is none. From 0. */
  above: number;
  /** The line of its dash. */
  dash: number;
  /** The line behind its last. */
  end: number;
}

export interface AgentLines {
  lines: string[];
  /** In characters, of every dash. */
  column: number;
  entries: EntryLines[];
}

const COMMENT = /^[ \t]*#/;
const BLANK = /^[ \t\r]*$/;

export const isBlank = (line: string | undefined): boolean => line !== undefined && BLANK.test(line);
export const isComment = (line: string): boolean => COMMENT.test(line);
export const indentOf = (line: string): number => line.length - line.trimStart().length;

export const agentLines = (text: string, document: Document): AgentLines | null => {
  const agents = document.get('agents', true);
  if (!isSeq(agents) || agents.flow || !agents.range || agents.items.length === 0) return null;
  const lines = text.split('\n');
  const starts = lineStarts(lines);
  const first = lineAt(starts, agents.range[0]);
  const column = agents.range[0] - (starts[first] as number);
  const dashed = new RegExp(`^ {${column}}-( |\r?$)`);
  const entries: EntryLines[] = [];
  for (const item of agents.items as Node[]) {
    if (!isMap(item) || !item.range) return null;
    const dash = lineAt(starts, item.range[0]);
    const floor = entries.at(-1)?.end ?? 0;
    if (!dashed.test(lines[dash] as string) || dash < floor) return null;
    const end = endOf(lines, starts, item.range[1], column);
    entries.push({
      above: firstAbove(lines, dash, floor),
      dash,
      end,
      column: item.range[0] - (starts[dash] as number),
    });
  }
  return { lines, column, entries };
};

const lineStarts = (lines: readonly string[]): number[] => {
  const starts = [0];
  for (const line of lines) starts.push((starts.at(-1) as number) + line.length + 1);
  return starts;
};

const lineAt = (starts: readonly number[], offset: number): number => {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] as number) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
};

/** What is said inside the entry before is not above this one. */
const firstAbove = (lines: readonly string[], dash: number, floor: number): number => {
  let above = dash;
  while (above > floor && isComment(lines[above - 1] as string)) above -= 1;
  return above;
};

/** Comments that are indented deeper than the dash still belong to it. */
const endOf = (lines: readonly string[], starts: readonly number[], offset: number, column: number): number => {
  const last = lineAt(starts, offset);
  let end = offset === starts[last] ? last : last + 1;
  while (end > 0 && isBlank(lines[end - 1])) end -= 1;
  for (let next = end; next < lines.length; next += 1) {
    const line = lines[next] as string;
    if (isBlank(line)) continue;
    if (!isComment(line) || indentOf(line) <= column) break;
    end = next + 1;
  }
  return end;
};
