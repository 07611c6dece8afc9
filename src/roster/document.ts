/**
 * Comes in: YAML or JSON as its library read it. Goes out: plain values under the roster's own spelling of keys, and where each
 * stands. Aliases are followed within a bound; a key that is there twice, in whatever spelling, is a fault.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair } from 'yaml';
import type { Fault } from './fault.ts';
import { shown } from './fault.ts';
import { canonicalKey, levelAt } from './keys.ts';

export type Path = readonly (string | number)[];

export interface RosterDocument {
  value: unknown;
  faults: Fault[];
  /** Offset of what stands at a path: of its key, or of its value. The nearest place above, if it is not there. */
  offsetOf(path: Path, what: 'key' | 'value'): number;
}

/** Values in a roster, aliases counted each time: a few lines can otherwise stand for billions. */
const MAX_VALUES = 100_000;

interface Place {
  key: number;
  value: number;
}

const pathKey = (path: Path): string => path.join('\0');

export const readDocument = (parsed: () => Document): RosterDocument => {
  try {
    const document = parsed();
    const faults = document.errors.map(({ pos, message }) => ({ offset: pos[0], words: messageWords(message) }));
    return faults.length > 0 ? unread(faults) : new Reader().read(document.contents as Node | null);
  } catch (error) {
    // Nested too deeply for the parser, or an alias of itself.
    return unread([{ offset: 0, words: `cannot be read: ${error instanceof Error ? error.message : String(error)}` }]);
  }
};

const unread = (faults: Fault[]): RosterDocument => ({ value: undefined, faults, offsetOf: () => 0 });

const twiceWords = (written: string, name: string): string =>
  written === name
    ? 'this key is there twice'
    : `${shown(written)} says the same as ${shown(name)}, which is there too`;

const messageWords = (message: string): string => {
  if (message.startsWith('Source contains multiple documents')) return 'a second document begins here; a roster is one';
  const first = message.split('\n', 1)[0]!;
  return `no valid YAML: ${first.charAt(0).toLowerCase()}${first.slice(1)}`;
};

class Reader {
  readonly #places = new Map<string, Place>();
  readonly #faults: Fault[] = [];
  readonly #anchors = new Map<string, Node>();
  #left = MAX_VALUES;

  read(contents: Node | null): RosterDocument {
    const value = this.#value(contents, []);
    return { value, faults: this.#faults, offsetOf: (path, what) => this.#offsetOf(path, what) };
  }

  #offsetOf(path: Path, what: 'key' | 'value'): number {
    for (let length = path.length; length > 0; length -= 1) {
      const place = this.#places.get(pathKey(path.slice(0, length)));
      if (place) return length === path.length ? place[what] : place.key;
    }
    return 0;
  }

  #value(node: Node | null, path: Path): unknown {
    this.#left -= 1;
    if (this.#left < 0) throw new Error(`it holds more than ${MAX_VALUES} values`);
    if (node === null) return undefined;
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined) this.#fault(node, `${shown(`*${node.source}`)} names nothing above it`);
      return target === undefined ? undefined : this.#value(target, path);
    }
    const { anchor } = node as Node & { anchor?: string };
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    if (isMap(node)) return this.#map(node.items as Pair<Node, Node | null>[], path);
    if (isSeq(node)) return (node.items as Node[]).map((item, index) => this.#item(item, [...path, index]));
    return isScalar(node) ? (node.value ?? undefined) : undefined;
  }

  #item(item: Node, path: Path): unknown {
    const offset = item.range?.[0] ?? 0;
    this.#places.set(pathKey(path), { key: offset, value: offset });
    return this.#value(item, path);
  }

  #map(pairs: Pair<Node, Node | null>[], path: Path): Record<string, unknown> {
    const level = levelAt(path);
    const values: Record<string, unknown> = Object.create(null);
    for (const { key, value } of pairs) {
      if (!isScalar(key)) {
        this.#fault(key, 'a key must be a plain word');
        continue;
      }
      const written = String(key.value);
      const name = canonicalKey(written, level);
      if (name in values) this.#fault(key, twiceWords(written, name));
      const offset = key.range?.[0] ?? 0;
      this.#places.set(pathKey([...path, name]), { key: offset, value: value?.range?.[0] ?? offset });
      values[name] = this.#value(value, [...path, name]);
    }
    return values;
  }

  #fault(node: Node, words: string): void {
    this.#faults.push({ offset: node.range?.[0] ?? 0, words });
  }
}
