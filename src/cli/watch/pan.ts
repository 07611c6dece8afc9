/** Which part of a screen a smaller window shows: where the cursor is, until a person looks elsewhere. Pure state. */
import type { ScreenPicture } from '../../screen/screen-log.ts';

export interface Size {
  width: number;
  height: number;
}

export interface Offset {
  x: number;
  y: number;
}

export class Pan {
  #offset: Offset = { x: 0, y: 0 };
  #follows = true;

  get follows(): boolean {
    return this.#follows;
  }

  /** Back to the cursor. */
  follow(): void {
    this.#follows = true;
  }

  /** By so many cells; from now on it stays where it is put. */
  move(columns: number, rows: number): void {
    this.#follows = false;
    this.#offset = { x: this.#offset.x + columns, y: this.#offset.y + rows };
  }

  /** Top left cell of the window; inside the screen, also after either changed its size. */
  offsetIn(picture: ScreenPicture, window: Size): Offset {
    let { x, y } = this.#offset;
    if (this.#follows) {
      x = followed(x, picture.cursorX, window.width, Math.floor(window.width / 2));
      // What was written last stands above the cursor, status lines of programs below it.
      y = picture.cursorY - window.height + 1 + Math.floor(window.height / 3);
    }
    this.#offset = {
      x: clamped(x, picture.width - window.width),
      y: clamped(y, picture.height - window.height),
    };
    return this.#offset;
  }
}

/** Keeps its place while the cursor is in it; else the least that shows as much as `margin` around it, from the left edge if that shows it. */
const followed = (start: number, cursor: number, length: number, margin: number): number => {
  if (cursor < length) return 0;
  if (cursor >= start && cursor < start + length) return start;
  return cursor - length + 1 + Math.min(margin, length - 1);
};

const clamped = (value: number, most: number): number => Math.max(0, Math.min(value, most));
