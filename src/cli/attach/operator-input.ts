/** Bytes of the operator's terminal as strokes, in time: a lone Escape is one after a while, the detach key leaves. */
import type { KeyStroke } from '../../domain/key-stroke.ts';
import { InputDecoder } from './decode-input.ts';

export interface OperatorInputOptions {
  /** By its tmux name. */
  detachKey: string;
  onStrokes: (strokes: KeyStroke[]) => void;
  onDetach: () => void;
}

/** A key's bytes come together, over a slow line within this time; a person's Escape comes alone. */
const ESCAPE_MS = 50;

export class OperatorInput implements Disposable {
  readonly #options: OperatorInputOptions;
  readonly #decoder = new InputDecoder();
  #timer: NodeJS.Timeout | null = null;
  #hasLeft = false;

  constructor(options: OperatorInputOptions) {
    this.#options = options;
  }

  take(bytes: Buffer): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#type(this.#decoder.push(bytes));
    if (!this.#hasLeft && this.#decoder.isWaiting) {
      this.#timer = setTimeout(() => this.#type(this.#decoder.flush()), ESCAPE_MS);
    }
  }

  /** What comes from now on is nobody's. */
  [Symbol.dispose](): void {
    this.#hasLeft = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  /** What was typed after the detach key is nobody's, too. */
  #type(strokes: KeyStroke[]): void {
    if (this.#hasLeft) return;
    const { detachKey, onStrokes, onDetach } = this.#options;
    const at = strokes.findIndex((stroke) => 'key' in stroke && stroke.key === detachKey);
    const typed = at < 0 ? strokes : strokes.slice(0, at);
    if (typed.length > 0) onStrokes(typed);
    if (at < 0) return;
    this.#hasLeft = true;
    onDetach();
  }
}
