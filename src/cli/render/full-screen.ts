/**
 * The terminal as a whole, taken and given back: its alternate screen, its keys. Whatever ends the program, the terminal
 * is left as it was; what is written to it is the caller's, and must be clean.
 */
import type { ReadStream, WriteStream } from 'node:tty';
import type { TerminalGuard } from './terminal-guard.ts';

/** Alternate screen, hidden cursor, no wrapping at the right edge (xterm's private modes). */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
export const LEAVE = '\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l';
/** Synchronized update: terminals that know it show the frame as a whole, others ignore it. */
const BEGIN_FRAME = '\x1b[?2026h';
const END_FRAME = '\x1b[?2026l';

export interface FullScreenEvents {
  /** Keys as the terminal sends them: one, or several that came together. */
  onKeys: (keys: string) => void;
  /** Instead of `onKeys`: everything as it comes, ctrl-z too, which then suspends nothing. */
  onBytes?: (bytes: Buffer) => void;
  /** Nothing is left of what was drawn: size changed, or the program was continued. */
  onBlank: () => void;
  /** The terminal is gone. */
  onGone?: () => void;
}

const SUSPEND = '\x1a';

export class FullScreen implements Disposable {
  readonly #stdout: WriteStream;
  readonly #stdin: ReadStream;
  readonly #events: FullScreenEvents;
  readonly #guard: TerminalGuard | null;
  readonly #atExit = (): void => this[Symbol.dispose]();
  readonly #onGone = (): void => this.#events.onGone?.();
  #isOpen = false;

  constructor(stdout: WriteStream, stdin: ReadStream, events: FullScreenEvents, guard: TerminalGuard | null = null) {
    this.#stdout = stdout;
    this.#stdin = stdin;
    this.#events = events;
    this.#guard = guard;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** A terminal that does not take what it was given gets no more: the next frame is a whole one anyway. */
  get isBusy(): boolean {
    return this.#stdout.writableNeedDrain;
  }

  /** Takes the terminal; a second call does nothing. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#guard?.tell(true);
    process.on('exit', this.#atExit);
    this.#stdout.write(ENTER);
    this.#stdout.on('resize', this.#onResize);
    if (!this.#stdin.isTTY) return;
    this.#stdin.setRawMode(true);
    this.#stdin.on('data', this.#onInput);
    for (const end of ['end', 'error']) this.#stdin.on(end, this.#onGone);
    this.#stdin.resume();
  }

  /** Shown at once where the terminal knows how. */
  show(drawing: string): void {
    if (this.#isOpen) this.#stdout.write(`${BEGIN_FRAME}${drawing}${END_FRAME}`);
  }

  /** Calls back once a busy terminal takes more. */
  onceFree(listener: () => void): void {
    this.#stdout.once('drain', listener);
  }

  /** Gives the terminal back. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off('exit', this.#atExit);
    this.#stdout.off('resize', this.#onResize);
    if (this.#stdin.isTTY) {
      this.#stdin.off('data', this.#onInput);
      for (const end of ['end', 'error']) this.#stdin.off(end, this.#onGone);
      this.#stdin.setRawMode(false);
      this.#stdin.pause();
    }
    this.#stdout.write(LEAVE);
    this.#guard?.tell(false);
  }

  readonly #onResize = (): void => this.#events.onBlank();

  readonly #onInput = (bytes: Buffer): void => {
    if (this.#events.onBytes) {
      this.#events.onBytes(bytes);
      return;
    }
    const keys = bytes.toString('latin1');
    if (keys === SUSPEND) this.#suspend();
    else this.#events.onKeys(keys);
  };

  #suspend(): void {
    this[Symbol.dispose]();
    process.once('SIGCONT', () => {
      this.open();
      this.#events.onBlank();
    });
    process.kill(process.pid, 'SIGTSTP');
  }
}
