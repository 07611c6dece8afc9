/** The text of a roster with what is read from it, each read once however often it is asked for. */
import { type Document, parseDocument } from 'yaml';
import { type RosterDocument, readDocument } from './document.ts';

export class RosterText {
  readonly text: string;
  #document: Document | null = null;
  #read: RosterDocument | null = null;
  #values: string | null = null;

  constructor(text: string) {
    this.text = text;
  }

  /** Not to be changed. Throws what the library throws, as for a text that is nested too deeply. */
  get document(): Document {
    this.#document ??= parseYaml(this.text);
    return this.#document;
  }

  /** Not to be changed. */
  get read(): RosterDocument {
    this.#read ??= readDocument(() => this.document);
    return this.#read;
  }

  /** A copy of one's own: keys in the roster's own spelling, without those that say nothing. */
  values(): Record<string, unknown> {
    this.#values ??= JSON.stringify(this.read.value ?? {});
    return JSON.parse(this.#values) as Record<string, unknown>;
  }
}

/** The library's own look for equal keys takes quadratic time. */
export const parseYaml = (text: string): Document =>
  parseDocument(text, { prettyErrors: false, merge: false, uniqueKeys: false });
