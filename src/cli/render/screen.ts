/**
 * A terminal redrawn in place, on its alternate screen. Whatever ends the program, the terminal is left as it was.
 * Lines must be clean; what does not fit the height can be scrolled.
 */
import type { ReadStream, WriteStream } from 'node:tty';
import { cutEnd } from '../../domain/clean-text.ts';

/** Alternate screen, hidden cursor, no wrapping at the right edge (xterm's private modes). */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
/** Synchronized update: terminals that know it show the frame as a whole, others ignore it. */
const BEGIN_FRAME = '\x1b[?2026h\x1b[H';
/** Erased before it is written: after a line as wide as the screen the cursor still stands on its last cell. */
const CLEAR_LINE = '\x1b[K';
const CLEAR_REST = '\x1b[J';
const END_FRAME = '\x1b[?2026l';

export interface ScreenContent {
  /** Always shown; cut to the width, as `below` is. */
  above: readonly string[];
  /** Scrolls. */
  body: readonly string[];
  /** Last line of the screen. */
  below: string;
}

export interface KeyActions {
  leave: () => void;
  redraw: () => void;
}

export class Screen implements Disposable {
  readonly #stdout: WriteStream;
  readonly #stdin: ReadStream;
  readonly #atExit = (): void => this[Symbol.dispose]();
  #isOpen = false;
  #keys: KeyActions | null = null;
  #offset = 0;
  #room = 1;
  #frame = '';

  constructor(stdout: WriteStream, stdin: ReadStream) {
    this.#stdout = stdout;
    this.#stdin = stdin;
  }

  onKeys(keys: KeyActions): void {
    this.#keys = keys;
  }

  /** Takes the terminal; a second call does nothing. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#frame = '';
    process.on('exit', this.#atExit);
    this.#stdout.write(ENTER);
    this.#stdout.on('resize', this.#onResize);
    if (!this.#stdin.isTTY) return;
    this.#stdin.setRawMode(true);
    this.#stdin.on('data', this.#onInput);
    this.#stdin.resume();
  }

  draw({ above, body, below }: ScreenContent): void {
    // A terminal that does not take what it was given gets no more: the next frame is a whole one anyway.
    if (!this.#isOpen || this.#stdout.writableNeedDrain) return;
    const height = this.#stdout.rows || above.length + body.length + 1;
    const columns = this.#stdout.columns || Number.POSITIVE_INFINITY;
    const fit = (line: string): string => cutEnd(line, columns);
    this.#room = Math.max(1, height - above.length - 1);
    this.#offset = Math.max(0, Math.min(this.#offset, body.length - this.#room));
    const shown = body.slice(this.#offset, this.#offset + this.#room);
    const hidden = body.length - shown.length;
    const last = hidden > 0 ? `${hidden} more lines: arrows scroll · ${below}` : below;
    const lines = [...above.map(fit), ...shown].map((line) => `${CLEAR_LINE}${line}\r\n`);
    const frame = `${height > 1 ? lines.slice(1 - height).join('') : ''}${CLEAR_REST}${fit(last)}`;
    if (frame === this.#frame) return;
    this.#frame = frame;
    this.#stdout.write(`${BEGIN_FRAME}${frame}${END_FRAME}`);
  }

  /** Gives the terminal back. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off('exit', this.#atExit);
    this.#stdout.off('resize', this.#onResize);
    if (this.#stdin.isTTY) {
      this.#stdin.off('data', this.#onInput);
      this.#stdin.setRawMode(false);
      this.#stdin.pause();
    }
    this.#stdout.write(LEAVE);
  }

  readonly #onResize = (): void => {
    this.#frame = '';
    this.#keys?.redraw();
  };

  readonly #onInput = (bytes: Buffer): void => {
    const key = bytes.toString('latin1');
    if (key === 'q' || key === 'Q' || key === '\x03') this.#keys?.leave();
    else if (key === '\x1a') this.#suspend();
    else if (key in SCROLL) {
      this.#offset = Math.max(0, this.#offset + (SCROLL[key] as (room: number) => number)(this.#room));
      this.#keys?.redraw();
    }
  };

  #suspend(): void {
    this[Symbol.dispose]();
    process.once('SIGCONT', () => {
      this.open();
      this.#keys?.redraw();
    });
    process.kill(process.pid, 'SIGTSTP');
  }
}

/** Lines to move, for each key as a terminal sends it. */
const SCROLL: Record<string, (room: number) => number> = {
  '\x1b[A': () => -1,
  '\x1bOA': () => -1,
  k: () => -1,
  '\x1b[B': () => 1,
  '\x1bOB': () => 1,
  j: () => 1,
  '\x1b[5~': (room) => -room,
  '\x1b[6~': (room) => room,
  ' ': (room) => room,
  g: () => Number.MIN_SAFE_INTEGER,
  G: () => Number.MAX_SAFE_INTEGER,
};
