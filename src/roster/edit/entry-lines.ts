/**
 * Which lines of a YAML roster are an agent's: those of its entry and what is said inside it, and the comment that stands
 * directly above. Gives null where entries do not begin on lines of their own.
 */
import { memberOf, type YamlNode } from '../yaml-nodes.ts';

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

export const agentLines = (text: string, root: YamlNode): AgentLines | null => {
  const agents = memberOf(root, 'agents');
  if (agents?.kind !== 'list' || agents.isFlow || agents.items.length === 0) return null;
  const lines = text.split('\n');
  const starts = lineStarts(lines);
  const first = lineAt(starts, agents.offset);
  const column = agents.offset - (starts[first] as number);
  const dashed = new RegExp(`^ {${column}}-( |\r?$)`);
  const entries: EntryLines[] = [];
  for (const item of agents.items) {
    if (item.kind !== 'map') return null;
    const dash = lineAt(starts, item.offset);
    const floor = entries.at(-1)?.end ?? 0;
    if (!dashed.test(lines[dash] as string) || dash < floor) return null;
    entries.push({
      above: firstAbove(lines, dash, floor),
      dash,
      end: endOf(lines, dash, column),
      column: item.offset - (starts[dash] as number),
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

/** All that is indented deeper than the dash is inside it, comments too. */
const endOf = (lines: readonly string[], dash: number, column: number): number => {
  let end = dash + 1;
  for (let next = end; next < lines.length; next += 1) {
    const line = lines[next] as string;
    if (isBlank(line)) continue;
    if (indentOf(line) > column) end = next + 1;
    else if (!isComment(line)) break;
  }
  return end;
};
