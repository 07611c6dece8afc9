/**
 * The whole roster written anew by the YAML library: comments stay, spacing may not. For what is not written line by line,
 * and for entries that borrow from each other by anchors.
 */
import { type Document, isAlias, isMap, isSeq, type Node, visit, type YAMLMap, type YAMLSeq } from 'yaml';
import type { RosterText } from '../roster-text.ts';
import type { RosterChanges } from './changes.ts';
import { changeMapKeys, parseForWriting, styleOf } from './yaml-style.ts';

export const changedDocument = ({ text }: RosterText, changes: RosterChanges): string | null => {
  const document = parseForWriting(text);
  if (!isMap(document.contents)) return null;
  const top = document.contents as YAMLMap;
  withoutAliases(document);
  const agents = top.get('agents');
  if (!isSeq(agents)) return null;
  changeAgents(document, agents as YAMLSeq, changes);
  if (changes.version2) top.set('version', 2);
  if (changes.defaults) {
    if (!isMap(top.get('defaults'))) top.set('defaults', document.createNode({}));
    changeMapKeys(document, top.get('defaults') as YAMLMap, changes.defaults);
  }
  return document.toString(styleOf(text));
};

const changeAgents = (document: Document, agents: YAMLSeq, { change, remove, add }: RosterChanges): void => {
  for (const [index, keys] of change ?? []) changeMapKeys(document, agents.items[index] as YAMLMap, keys);
  agents.items = agents.items.filter((_, index) => !remove?.has(index));
  if (agents.items.length === 0 && !add?.length) agents.flow = true;
  for (const entry of add ?? []) {
    const node = document.createNode(entry);
    if (agents.items.length === 0) agents.flow = false;
    agents.items.push(node);
  }
};

/** Each says by itself what it borrowed: the entry it borrowed from may go. */
const withoutAliases = (document: Document): void => {
  let isBorrowing = false;
  visit(document, {
    Alias(_, alias) {
      isBorrowing = true;
      const source = alias.resolve(document);
      if (source === undefined || isAlias(source)) return undefined;
      const copy = source.clone() as Node & { anchor?: string };
      delete copy.anchor;
      return copy as Node;
    },
  });
  if (isBorrowing) visit(document, { Node: (_, node) => void delete (node as Node & { anchor?: string }).anchor });
};
