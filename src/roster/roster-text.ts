/** The text of a roster with what is read from it, each read once however often it is asked for. */
import { type RosterDocument, readDocument } from './document.ts';
import { readYaml, type YamlNode } from './yaml-nodes.ts';

export class RosterText {
  readonly text: string;
  #nodes: YamlNode | null | undefined;
  #read: RosterDocument | null = null;
  #values: string | null = null;

  constructor(text: string) {
    this.text = text;
  }

  /** Not to be changed; null where there are none. Throws YamlFault. */
  get nodes(): YamlNode | null {
    if (this.#nodes === undefined) this.#nodes = readYaml(this.text);
    return this.#nodes;
  }

  /** Not to be changed. */
  get read(): RosterDocument {
    this.#read ??= readDocument(() => this.nodes);
    return this.#read;
  }

  /** A copy of one's own: keys in the roster's own spelling, without those that say nothing. */
  values(): Record<string, unknown> {
    this.#values ??= JSON.stringify(this.read.value ?? {});
    return JSON.parse(this.#values) as Record<string, unknown>;
  }
}
