/**
 * Comes in: YAML text. Goes out: what `document.ts` would read from it, tens of times faster, where it is written as most
 * rosters are: block style, one-line values, no quotes that escape, no anchors. Null for everything else: no fault is found here.
 */
import type { EntrySpans, Path, RosterDocument } from './document.ts';
import { canonicalKey, levelAt } from './keys.ts';
import { isYamlWord, ODD_TEXT, plainValue } from './plain-value.ts';

export interface PlainReading extends RosterDocument {
  spans: EntrySpans | null;
}

export const readPlain = (text: string): PlainReading | null => {
  try {
    return ODD_TEXT.test(text) ? null : new PlainReader(text).read();
  } catch (error) {
    if (error === NOT_PLAIN) return null;
    throw error;
  }
};

interface Line {
  indent: number;
  /** In characters of the text, of its first that is no blank. */
  offset: number;
  words: string;
}

const NOT_PLAIN = new Error('not written in the plain way');
const KEY = /^([A-Za-z_][\w-]*):(?: +|$)/;
const DASH = /^- +/;

const notPlain = (): never => {
  throw NOT_PLAIN;
};

class PlainReader {
  readonly #text: string;
  readonly #places = new Map<string, { key: number; value: number }>();
  readonly #lines: Line[] = [];
  #at = 0;
  #spans: EntrySpans | null = null;

  constructor(text: string) {
    this.#text = text;
  }

  read(): PlainReading {
    let offset = 0;
    for (const line of this.#text.split('\n')) {
      const words = line.trimStart();
      const indent = line.length - words.length;
      if (words !== '' && !words.startsWith('#')) this.#lines.push({ indent, offset: offset + indent, words });
      offset += line.length + 1;
    }
    if (this.#lines[0]?.indent !== 0) notPlain();
    const value = this.#map(0, []);
    if (this.#at < this.#lines.length) notPlain();
    return { value, faults: [], spans: this.#spans, offsetOf: (path, what) => this.#offsetOf(path, what) };
  }

  #map(indent: number, path: Path): Record<string, unknown> {
    const level = levelAt(path);
    const values: Record<string, unknown> = Object.create(null);
    for (let line = this.#lines[this.#at]; line?.indent === indent; line = this.#lines[this.#at]) {
      const [head, written] = KEY.exec(line.words) ?? notPlain();
      const name = canonicalKey(written as string, level);
      if (name in values || isYamlWord(name)) notPlain();
      const own = [...path, name];
      this.#at += 1;
      const rest = line.words.slice(head.length);
      const value = rest === '' || rest.startsWith('#') ? (this.#lines[this.#at] as Line | undefined) : line;
      if (value === undefined) return notPlain();
      const start = value === line ? line.offset + head.length : value.offset;
      this.#places.set(own.join('\0'), { key: line.offset, value: start });
      values[name] = value === line ? this.#scalar(rest, indent, own) : this.#nested(value, indent, own);
    }
    if ((this.#lines[this.#at]?.indent ?? -1) > indent) notPlain();
    return values;
  }

  /** One line: what is indented deeper below it would go on with it. */
  #scalar(written: string, indent: number, path: Path): unknown {
    if ((this.#lines[this.#at]?.indent ?? -1) > indent) notPlain();
    const read = plainValue(written);
    if (read === null) return notPlain();
    const start = this.#places.get(path.join('\0'))?.value ?? 0;
    for (const [name, { key, value }] of read.keys)
      this.#places.set([...path, name].join('\0'), { key: start + key, value: start + value });
    return read.value;
  }

  #nested(first: Line, indent: number, path: Path): unknown {
    if (DASH.test(first.words)) return first.indent >= indent ? this.#list(first.indent, path) : notPlain();
    return first.indent > indent ? this.#map(first.indent, path) : notPlain();
  }

  /** Of maps. Each begins behind its dash. */
  #list(indent: number, path: Path): unknown[] {
    if (path.length !== 1) notPlain();
    const values: unknown[] = [];
    const items: EntrySpans['items'][number][] = [];
    const first = (this.#lines[this.#at] as Line).offset;
    for (let line = this.#lines[this.#at]; line?.indent === indent; line = this.#lines[this.#at]) {
      const dash = DASH.exec(line.words)?.[0].length;
      if (dash === undefined) break;
      const start = line.offset + dash;
      this.#lines[this.#at] = { indent: indent + dash, offset: start, words: line.words.slice(dash) };
      const own = [...path, values.length];
      this.#places.set(own.join('\0'), { key: start, value: start });
      values.push(this.#map(indent + dash, own));
      const last = this.#lines[this.#at - 1] as Line;
      items.push({ start, end: last.offset + last.words.length });
    }
    if (path[0] === 'agents') this.#spans = { first, items };
    return values;
  }

  #offsetOf(path: Path, what: 'key' | 'value'): number {
    for (let length = path.length; length > 0; length -= 1) {
      const place = this.#places.get(path.slice(0, length).join('\0'));
      if (place) return length === path.length ? place[what] : place.key;
    }
    return 0;
  }
}
