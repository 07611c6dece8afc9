/**
 * A terminal redrawn in place, on its alternate screen. Whatever ends the program, the terminal is left as it was.
 * Lines must be clean; what does not fit the height can be scrolled.
 */
import type { ReadStream, WriteStream } from 'node:tty';
import { cutEnd } from '../../domain/clean-text.ts';
import { FullScreen } from './full-screen.ts';

const HOME = '\x1b[H';
/** Erased before it is written: after a line as wide as the screen the cursor still stands on its last cell. */
const CLEAR_LINE = '\x1b[K';
const CLEAR_REST = '\x1b[J';

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
  readonly #terminal: FullScreen;
  #keys: KeyActions | null = null;
  #offset = 0;
  #room = 1;
  #frame = '';

  constructor(stdout: WriteStream, stdin: ReadStream) {
    this.#stdout = stdout;
    this.#terminal = new FullScreen(stdout, stdin, {
      onKeys: (keys) => this.#onKey(keys),
      onBlank: () => {
        this.#frame = '';
        this.#keys?.redraw();
      },
      onGone: () => this.#keys?.leave(),
    });
  }

  onKeys(keys: KeyActions): void {
    this.#keys = keys;
  }

  /** Takes the terminal; a second call does nothing. */
  open(): void {
    this.#terminal.open();
  }

  draw({ above, body, below }: ScreenContent): void {
    if (!this.#terminal.isOpen || this.#terminal.isBusy) return;
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
    this.#terminal.show(`${HOME}${frame}`);
  }

  /** Gives the terminal back. */
  [Symbol.dispose](): void {
    this.#terminal[Symbol.dispose]();
  }

  #onKey(key: string): void {
    if (key === 'q' || key === 'Q' || key === '\x03') this.#keys?.leave();
    else if (key in SCROLL) {
      this.#offset = Math.max(0, this.#offset + (SCROLL[key] as (room: number) => number)(this.#room));
      this.#keys?.redraw();
    }
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
