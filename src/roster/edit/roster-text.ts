/** The text of a roster with what is read from it, each read once however often the text is changed. */
import { type Document, parseDocument } from 'yaml';
import { readDocument } from '../document.ts';
import type { Values } from './changes.ts';

export class RosterText {
  readonly text: string;
  #document: Document | null = null;
  #values: string | null = null;

  constructor(text: string) {
    this.text = text;
  }

  /** Not to be changed. */
  get document(): Document {
    this.#document ??= parseDocument(this.text, { uniqueKeys: false, merge: false });
    return this.#document;
  }

  /** A copy of one's own: keys in the roster's own spelling, without those that say nothing. */
  values(): Values {
    this.#values ??= JSON.stringify(readDocument(this.text, this.document).value ?? {});
    return JSON.parse(this.#values) as Values;
  }
}
