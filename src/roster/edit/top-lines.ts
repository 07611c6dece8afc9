/** The version and the defaults of a roster, changed on lines of their own. Gives null where they are written otherwise. */
import { memberOf, type YamlMap, type YamlNode } from '../yaml-nodes.ts';
import type { RosterChanges } from './changes.ts';
import { indentOf } from './entry-lines.ts';
import type { Splice } from './splice.ts';
import { mapLines } from './yaml-style.ts';

const VERSION = /^(version:[ \t]*)1(?=[ \t\r]*(#|$))/;

export const topSplices = (lines: readonly string[], top: YamlNode, changes: RosterChanges): Splice[] | null => {
  const splices: Splice[] = [];
  if (changes.version2) {
    const at = lines.findIndex((line) => VERSION.test(line));
    if (at === -1) return null;
    splices.push({ from: at, to: at + 1, put: [(lines[at] as string).replace(VERSION, '$12')] });
  }
  if (changes.defaults === undefined) return splices;
  const defaults = defaultsSplice(lines, top, changes.defaults);
  return defaults === null ? null : [...splices, defaults];
};

/** Only words that are new there. */
const defaultsSplice = (
  lines: readonly string[],
  top: YamlNode,
  changes: NonNullable<RosterChanges['defaults']>,
): Splice | null => {
  const keys: Record<string, unknown> = {};
  for (const { path, value } of changes) {
    if (path.length !== 1 || value === null) return null;
    keys[path[0]] = value;
  }
  const put = mapLines(keys, { isFlow: false, style: { lineWidth: 0 } });
  const present = memberOf(top, 'defaults');
  if (present === undefined) {
    const at = lines.findIndex((line) => /^agents:/.test(line));
    let above = at;
    while (above > 0 && lines[above - 1]?.startsWith('#')) above -= 1;
    return at === -1 ? null : { from: above, to: above, put: ['defaults:', ...put.map((line) => `  ${line}`)] };
  }
  if (present.kind === 'map' && present.isFlow && !holdsAny(present, keys)) return braced(lines, keys);
  const at = lines.findIndex((line) => /^defaults:[ \t\r]*(#|$)/.test(line));
  if (at === -1 || present.kind !== 'map' || present.isFlow || holdsAny(present, keys)) return null;
  const first = lines.findIndex((line, index) => index > at && /^[ \t]+[^#\s]/.test(line));
  const indent = ' '.repeat(first === -1 ? 2 : indentOf(lines[first] as string));
  return { from: at + 1, to: at + 1, put: put.map((line) => `${indent}${line}`) };
};

const BRACED = /^(defaults:[ \t]*\{)([^{}]*?)([ \t]*\})/;

/** `defaults: {…}` on one line. */
const braced = (lines: readonly string[], keys: Record<string, unknown>): Splice | null => {
  const at = lines.findIndex((line) => BRACED.test(line));
  if (at === -1) return null;
  const words = mapLines(keys, { isFlow: true, style: { lineWidth: 0 } })[0]!.slice(2, -2);
  const put = (lines[at] as string).replace(
    BRACED,
    (_, head: string, inner: string, tail: string) =>
      `${head}${inner}${inner.trim() === '' ? ' ' : ', '}${words}${tail}`,
  );
  return { from: at, to: at + 1, put: [put] };
};

const holdsAny = (map: YamlMap, keys: Record<string, unknown>): boolean =>
  Object.keys(keys).some((key) => memberOf(map, key) !== undefined);
