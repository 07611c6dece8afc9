/**
 * Comes in: the nodes of a roster's YAML. Goes out: plain values under the roster's own spelling of keys, and where each
 * stands. Aliases are followed within a bound; a key that is there twice, in whatever spelling, is a fault.
 */
import type { Fault } from './fault.ts';
import { shown } from './fault.ts';
import { canonicalKey, levelAt } from './keys.ts';
import { YamlFault, type YamlMap, type YamlNode } from './yaml-nodes.ts';

export type Path = readonly (string | number)[];

export interface RosterDocument {
  value: unknown;
  faults: Fault[];
  /** Offset of what stands at a path: of its key, or of its value. The nearest place above, if it is not there. */
  offsetOf(path: Path, what: 'key' | 'value'): number;
}

/** Values in a roster, aliases counted each time: a few lines can otherwise stand for billions. */
const MAX_VALUES = 100_000;
/** An alias of itself has no end. */
const MAX_DEPTH = 100;

/** A document that cannot be read as a whole has one fault, and no value. Throws what is no fault of the text. */
export const readDocument = (nodes: () => YamlNode | null): RosterDocument => {
  try {
    return new Reader().read(nodes());
  } catch (error) {
    if (!(error instanceof YamlFault)) throw error;
    return { value: undefined, faults: [error.fault], offsetOf: () => 0 };
  }
};

const twiceWords = (written: string, name: string): string =>
  written === name
    ? 'this key is there twice'
    : `${shown(written)} says the same as ${shown(name)}, which is there too`;

class Reader {
  readonly #faults: Fault[] = [];
  readonly #anchors = new Map<string, YamlNode>();
  #left = MAX_VALUES;

  read(root: YamlNode | null): RosterDocument {
    const value = root === null ? undefined : this.#value(root, []);
    return { value, faults: this.#faults, offsetOf: (path, what) => (root === null ? 0 : offsetOf(root, path, what)) };
  }

  #value(node: YamlNode, path: Path): unknown {
    this.#left -= 1;
    if (this.#left < 0) throw unreadable(node, `it holds more than ${MAX_VALUES} values`);
    if (path.length > MAX_DEPTH) throw unreadable(node, 'it is nested too deeply');
    if (node.anchor !== null) this.#anchors.set(node.anchor, node);
    switch (node.kind) {
      case 'alias': {
        const target = this.#anchors.get(node.name);
        if (target === undefined) this.#fault(node, `${shown(`*${node.name}`)} names nothing above it`);
        return target === undefined ? undefined : this.#value(target, path);
      }
      case 'map':
        return this.#map(node, path);
      case 'list':
        return node.items.map((item, index) => this.#value(item, [...path, index]));
      case 'word':
        return node.value ?? undefined;
    }
  }

  #map({ pairs }: YamlMap, path: Path): Record<string, unknown> {
    const level = levelAt(path);
    const values: Record<string, unknown> = Object.create(null);
    for (const { key, value } of pairs) {
      if (key.kind !== 'word') {
        this.#fault(key, 'a key must be a plain word');
        continue;
      }
      const written = String(key.value);
      const name = canonicalKey(written, level);
      if (name in values) this.#fault(key, twiceWords(written, name));
      values[name] = this.#value(value, [...path, name]);
    }
    return values;
  }

  #fault({ offset }: YamlNode, words: string): void {
    this.#faults.push({ offset, words });
  }
}

const unreadable = ({ offset }: YamlNode, words: string): YamlFault =>
  new YamlFault({ offset, words: `cannot be read: ${words}` });

const offsetOf = (root: YamlNode, path: Path, what: 'key' | 'value'): number => {
  let node = root;
  let key = 0;
  for (const [depth, part] of path.entries()) {
    const step = stepTo(node, path.slice(0, depth), part);
    if (step === null) return key;
    key = step.key.offset;
    node = step.value;
  }
  return what === 'key' ? key : node.offset;
};

/** Of a key that is there twice, the last. */
const stepTo = (node: YamlNode, path: Path, part: string | number): { key: YamlNode; value: YamlNode } | null => {
  if (node.kind === 'list') {
    const item = node.items[part as number];
    return item === undefined ? null : { key: item, value: item };
  }
  if (node.kind !== 'map') return null;
  const level = levelAt(path);
  const pair = node.pairs.findLast(({ key }) => key.kind === 'word' && canonicalKey(String(key.value), level) === part);
  return pair ?? null;
};
