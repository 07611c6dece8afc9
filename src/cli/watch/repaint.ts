/** What stands on a terminal, and only what changed of it drawn again; a terminal that takes nothing is waited for once. */
import type { FullScreen } from '../render/full-screen.ts';
import type { Composed } from './compose.ts';
import { place } from './row-pen.ts';

export class Repaint {
  readonly #screen: FullScreen;
  readonly #again: () => void;
  #shown: Composed | null = null;
  #isWaiting = false;

  /** `again` asks for another `draw`: the terminal takes more now. */
  constructor(screen: FullScreen, again: () => void) {
    this.#screen = screen;
    this.#again = again;
  }

  /** Nothing of what was drawn stands there any more. */
  forget(): void {
    this.#shown = null;
  }

  draw(compose: () => Composed): void {
    if (!this.#screen.isOpen) return;
    if (this.#screen.isBusy) {
      this.#waitOnce();
      return;
    }
    const composed = compose();
    const before = this.#shown;
    const changed = composed.rows.filter((row, n) => row !== before?.rows[n]);
    const cursor = cursorSequence(composed.cursor);
    if (before && changed.length === 0 && cursor === cursorSequence(before.cursor)) return;
    this.#shown = composed;
    this.#screen.show(`\x1b[?25l${before ? '' : '\x1b[0m\x1b[2J'}${changed.join('')}${cursor}`);
  }

  #waitOnce(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#screen.onceFree(() => {
      this.#isWaiting = false;
      this.#again();
    });
  }
}

/** Hidden where there is none to show. */
const cursorSequence = (cursor: Composed['cursor']): string =>
  cursor ? `${place(cursor.row, cursor.column)}\x1b[?25h` : '';
