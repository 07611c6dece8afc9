/** How new YAML is written so that it looks like what stands around it. */
import { Document, isMap, parseDocument, type ToStringOptions, type YAMLMap } from 'yaml';
import { camelCase } from '../keys.ts';
import type { KeyChange } from './changes.ts';

/** With its comments, to be printed again. What a text says is told by `yaml-nodes.ts` alone. */
export const parseForWriting = (text: string): Document =>
  parseDocument(text, { prettyErrors: false, merge: false, uniqueKeys: false });

/** Long lines are never folded; braces have blanks inside where the text has. */
export const styleOf = (text: string): ToStringOptions => ({
  lineWidth: 0,
  flowCollectionPadding: !/[{[]\S/.test(text.replaceAll(/\{\}|\[\]/g, '')),
  indentSeq: !/^agents:[^\n]*\n(?:[ \t]*(?:#[^\n]*)?\n)*- /m.test(text),
});

export const changeMapKeys = (document: Document, map: YAMLMap, changes: readonly KeyChange[]): void => {
  for (const { path, value } of changes) {
    const [key, variable] = path;
    const name = !map.has(key) && map.has(camelCase(key)) ? camelCase(key) : key;
    if (variable === undefined) {
      if (value === null) map.delete(name);
      else setKept(document, map, name, value);
      continue;
    }
    let inner = map.get(name);
    if (!isMap(inner)) {
      if (value === null) continue;
      inner = document.createNode({}) as YAMLMap;
      map.set(name, inner);
    }
    if (value === null) (inner as YAMLMap).delete(variable);
    else setKept(document, inner as YAMLMap, variable, value);
    if ((inner as YAMLMap).items.length === 0) map.delete(name);
  }
};

/** A comment behind the old value stays. */
const setKept = (document: Document, map: YAMLMap, key: string, value: unknown): void => {
  const old = map.get(key, true) as { comment?: string | null } | undefined;
  const node = document.createNode(value);
  if (old?.comment) node.comment = old.comment;
  map.set(key, node);
};

/** Lines of a map by itself, to be indented by whoever puts them in. */
export const mapLines = (value: unknown, { isFlow, style }: { isFlow: boolean; style: ToStringOptions }): string[] => {
  const document = new Document(value);
  if (isFlow && isMap(document.contents)) document.contents.flow = true;
  return document.toString(style).trimEnd().split('\n');
};
