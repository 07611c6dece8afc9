/**
 * Comes in: YAML, or JSON, which is YAML too. Goes out: its nodes, and where each begins. The only place that knows how YAML is
 * read: core schema of YAML 1.2, one document, no tags of anybody's own.
 */
import {
  COLLECTION_STYLE,
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  YAMLException,
} from 'js-yaml';
import { type Fault, shown } from './fault.ts';
import { type Word, wordOf } from './yaml-words.ts';

interface Placed {
  /** Characters from the start of the text: of its first key, item or quote; of nothing, where it would stand. */
  offset: number;
  anchor: string | null;
}

export interface YamlMap extends Placed {
  kind: 'map';
  /** In braces. */
  isFlow: boolean;
  pairs: { key: YamlNode; value: YamlNode }[];
}

export interface YamlList extends Placed {
  kind: 'list';
  /** In brackets. */
  isFlow: boolean;
  items: YamlNode[];
}

export interface YamlWord extends Placed {
  kind: 'word';
  value: Word;
}

export interface YamlAlias extends Placed {
  kind: 'alias';
  name: string;
}

export type YamlNode = YamlMap | YamlList | YamlWord | YamlAlias;

/** Why a text cannot be read. */
export class YamlFault extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.words);
    this.name = 'YamlFault';
    this.fault = fault;
  }
}

/** null where there is nothing but comments. Throws YamlFault. */
export const readYaml = (text: string): YamlNode | null => {
  try {
    return new Nodes(text, parseEvents(text, {})).root();
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new YamlFault({ offset: error.mark?.position ?? 0, words: `no valid YAML: ${error.reason}` });
  }
};

class Nodes {
  readonly #text: string;
  readonly #events: readonly Event[];
  #next = 0;
  #offset = 0;

  constructor(text: string, events: readonly Event[]) {
    this.#text = text;
    this.#events = events;
  }

  root(): YamlNode | null {
    if (this.#events.length === 0) return null;
    this.#next = 1;
    const root = this.#isOver() ? null : this.#node();
    this.#next += 1;
    if (this.#next < this.#events.length) throw this.#second();
    return root;
  }

  /** A document itself has no place in the text: its marker does, or what it begins with. */
  #second(): YamlFault {
    this.#next += 1;
    const offset = this.#isOver() ? this.#text.length : this.#node().offset;
    const marker = this.#text.lastIndexOf('\n---', offset) + 1;
    return new YamlFault({ offset: marker || offset, words: 'a second document begins here; a roster is one' });
  }

  #isOver(): boolean {
    return this.#events[this.#next]?.type === EVENT_ID.POP;
  }

  #node(): YamlNode {
    const event = this.#events[this.#next++] as Event;
    switch (event.type) {
      case EVENT_ID.MAPPING:
      case EVENT_ID.SEQUENCE: {
        this.#offset = event.start;
        const placed = {
          offset: event.start,
          anchor: this.#words(event.anchorStart, event.anchorEnd),
          isFlow: event.style === COLLECTION_STYLE.FLOW,
        };
        if (event.type === EVENT_ID.SEQUENCE) return { kind: 'list', ...placed, items: this.#items() };
        return { kind: 'map', ...placed, pairs: this.#pairs() };
      }
      case EVENT_ID.ALIAS:
        this.#offset = event.anchorStart - 1;
        return {
          kind: 'alias',
          offset: this.#offset,
          anchor: null,
          name: this.#text.slice(event.anchorStart, event.anchorEnd),
        };
      case EVENT_ID.SCALAR:
        return this.#word(event);
      default:
        throw new Error(`an event of YAML that is no node: ${event.type}`);
    }
  }

  #items(): YamlNode[] {
    const items: YamlNode[] = [];
    while (!this.#isOver()) items.push(this.#node());
    this.#next += 1;
    return items;
  }

  #pairs(): YamlMap['pairs'] {
    const pairs: YamlMap['pairs'] = [];
    while (!this.#isOver()) {
      const key = this.#node();
      pairs.push({ key, value: this.#node() });
    }
    this.#next += 1;
    return pairs;
  }

  #word(event: ScalarEvent): YamlWord {
    const isQuoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
    if (event.valueStart >= 0) this.#offset = event.valueStart - (isQuoted ? 1 : 0);
    const offset = this.#offset;
    const tag = this.#words(event.tagStart, event.tagEnd);
    const text = event.valueStart >= 0 ? getScalarValue(this.#text, event) : '';
    const anchor = this.#words(event.anchorStart, event.anchorEnd);
    const value = wordOf(text, tag, event.style === SCALAR_STYLE.PLAIN);
    if (value !== undefined) return { kind: 'word', offset, anchor, value };
    throw new YamlFault({
      offset: event.tagStart,
      words: `${shown(`${tag} ${text}`)} is no value that a roster may have`,
    });
  }

  #words(start: number, end: number): string | null {
    return start < 0 ? null : this.#text.slice(start, end);
  }
}

/** As it is spelled there. */
export const memberOf = (node: YamlNode | null, key: string): YamlNode | undefined =>
  node?.kind === 'map'
    ? node.pairs.find((pair) => pair.key.kind === 'word' && pair.key.value === key)?.value
    : undefined;
