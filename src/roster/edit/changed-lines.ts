/**
 * A YAML roster changed line by line: every line that is not an entry's own stays as it is, byte for byte. Gives null where
 * the roster is not written in lines of that kind.
 */
import { isMap, type YAMLMap } from 'yaml';
import type { RosterText } from '../roster-text.ts';
import { memberOf, type YamlNode } from '../yaml-nodes.ts';
import type { KeyChange, NewEntry, RosterChanges } from './changes.ts';
import { type AgentLines, agentLines, type EntryLines, indentOf, isBlank, isComment } from './entry-lines.ts';
import { type Splice, spliced } from './splice.ts';
import { topSplices } from './top-lines.ts';
import { changeMapKeys, mapLines, parseForWriting, styleOf } from './yaml-style.ts';

export const changedLines = ({ text, nodes }: RosterText, changes: RosterChanges): string | null => {
  if (nodes?.kind !== 'map') return null;
  const agents = agentLines(text, nodes) ?? noAgents(text, nodes);
  const top = topSplices(text.split('\n'), nodes, changes);
  if (agents === null || top === null) return null;
  const { remove = new Set<number>(), change = new Map<number, KeyChange[]>(), add = [] } = changes;
  const isEmptied = agents.entries.length > 0 && remove.size === agents.entries.length;
  if (isEmptied && add.length > 0) return null;
  return spliced(text, [
    ...top,
    ...[...remove].map((index) => removal(agents, index)),
    ...[...change].flatMap(([index, keys]) => (remove.has(index) ? [] : [rewritten(text, agents, index, keys)])),
    ...(isEmptied ? [agentsLine(agents.lines, 'agents: []')] : []),
    ...(add.length > 0 ? additions(text, agents, add) : []),
  ]);
};

const NO_AGENTS = /^agents:[ \t]*\[[ \t]*\]/;
const AGENTS = /^agents:/;

/** `agents: []` on a line of its own. */
const noAgents = (text: string, top: YamlNode): AgentLines | null => {
  const agents = memberOf(top, 'agents');
  const lines = text.split('\n');
  const isEmpty = agents?.kind === 'list' && agents.items.length === 0 && lines.some((line) => NO_AGENTS.test(line));
  return isEmpty ? { lines, column: 2, entries: [] } : null;
};

const agentsLine = (lines: readonly string[], words: string): Splice => {
  const at = lines.findIndex((line) => AGENTS.test(line));
  const old = lines[at] as string;
  return { from: at, to: at + 1, put: [old.replace(NO_AGENTS.test(old) ? NO_AGENTS : AGENTS, words)] };
};

/** Of two empty lines that would meet, one goes along. */
const removal = ({ lines, entries }: AgentLines, index: number): Splice => {
  const { above, end } = entries[index] as EntryLines;
  let to = end;
  const before = lines[above - 1];
  if (before === undefined || isBlank(before) || AGENTS.test(before))
    while (to < lines.length - 1 && isBlank(lines[to])) to += 1;
  return { from: above, to, put: [] };
};

/** The entry is read by itself, changed, and put back where it stood. */
const rewritten = (text: string, agents: AgentLines, index: number, keys: readonly KeyChange[]): Splice => {
  const { dash, end, column } = agents.entries[index] as EntryLines;
  let last = end;
  while (isComment(agents.lines[last - 1] as string)) last -= 1;
  const own = agents.lines.slice(dash, last);
  const alone = own.map((line, at) => line.slice(at === 0 ? column : Math.min(column, indentOf(line)))).join('\n');
  const document = parseForWriting(alone);
  if (document.errors.length > 0 || !isMap(document.contents)) throw new Error('no entry that can be read by itself');
  changeMapKeys(document, document.contents as YAMLMap, keys);
  const put = document
    .toString({ ...styleOf(text), ...styleOf(alone) })
    .trimEnd()
    .split('\n');
  return { from: dash, to: last, put: dashed(put, agents.column, column) };
};

/** Behind the last entry, looking like it. */
const additions = (text: string, agents: AgentLines, added: readonly NewEntry[]): Splice[] => {
  const { entries, lines } = agents;
  const last = entries.at(-1);
  if (last === undefined) {
    const head = agentsLine(lines, 'agents:');
    const put = added.flatMap((entry) => entryLines(entry, agents, text, null));
    return [{ ...head, put: [...head.put, ...put] }];
  }
  const isSpaced = entries.length > 1 && isBlank(lines[last.above - 1]);
  const put = added.flatMap((entry) => [...(isSpaced ? [''] : []), ...entryLines(entry, agents, text, last)]);
  return [{ from: last.end, to: last.end, put }];
};

const entryLines = (
  entry: NewEntry,
  { lines, column }: AgentLines,
  text: string,
  like: EntryLines | null,
): string[] => {
  const isFlow = like !== null && (lines[like.dash] as string).slice(like.column).startsWith('{');
  return dashed(mapLines(entry, { isFlow, style: styleOf(text) }), column, like?.column ?? column + 2);
};

const dashed = (lines: readonly string[], dash: number, column: number): string[] =>
  lines.map((line, at) => {
    if (at === 0) return `${' '.repeat(dash)}${'-'.padEnd(column - dash)}${line}`;
    return isBlank(line) ? '' : `${' '.repeat(column)}${line}`;
  });
