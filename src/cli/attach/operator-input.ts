/**
 * The operator's terminal as a keyboard: raw, with pastes marked, its bytes read as strokes. Whatever ends the program,
 * the terminal is left as it was.
 */
import type { ReadStream, WriteStream } from 'node:tty';
import type { KeyStroke } from '../../domain/key-stroke.ts';
import { InputDecoder } from './decode-input.ts';

export interface OperatorInputOptions {
  stdin: ReadStream;
  stdout: WriteStream;
  /** By its tmux name. */
  detachKey: string;
  onStrokes: (strokes: KeyStroke[]) => void;
  onDetach: () => void;
}

/** Bracketed paste (xterm, DECSET 2004). */
const MARK_PASTES = '\x1b[?2004h';
const LEAVE_PASTES = '\x1b[?2004l';
/** A key's bytes come together, over a slow line within this time; a person's Escape comes alone. */
const ESCAPE_MS = 50;

export class OperatorInput implements Disposable {
  readonly #options: OperatorInputOptions;
  readonly #decoder = new InputDecoder();
  readonly #atExit = (): void => this[Symbol.dispose]();
  #timer: NodeJS.Timeout | null = null;
  #isOpen = false;

  constructor(options: OperatorInputOptions) {
    this.#options = options;
  }

  /** Takes the keyboard; a second call does nothing. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    const { stdin, stdout } = this.#options;
    process.on('exit', this.#atExit);
    stdout.write(MARK_PASTES);
    stdin.setRawMode(true);
    stdin.on('data', this.#onData);
    stdin.resume();
  }

  /** Read no more until `resume`: what is typed waits in the terminal. */
  pause(): void {
    if (this.#isOpen) this.#options.stdin.pause();
  }

  resume(): void {
    if (this.#isOpen) this.#options.stdin.resume();
  }

  /** Gives the keyboard back. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off('exit', this.#atExit);
    if (this.#timer) clearTimeout(this.#timer);
    const { stdin, stdout } = this.#options;
    stdin.off('data', this.#onData);
    stdin.setRawMode(false);
    stdin.pause();
    stdout.write(LEAVE_PASTES);
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#take(this.#decoder.push(bytes));
    if (this.#isOpen && this.#decoder.isWaiting) {
      this.#timer = setTimeout(() => this.#take(this.#decoder.flush()), ESCAPE_MS);
    }
  };

  /** What was typed after the detach key is nobody's. */
  #take(strokes: KeyStroke[]): void {
    const { detachKey, onStrokes, onDetach } = this.#options;
    const at = strokes.findIndex((stroke) => 'key' in stroke && stroke.key === detachKey);
    const typed = at < 0 ? strokes : strokes.slice(0, at);
    if (typed.length > 0) onStrokes(typed);
    if (at >= 0) onDetach();
  }
}
