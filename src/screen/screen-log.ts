/**
 * A screen that changes, as rows with revisions: a reader is only a revision, so a slow one misses what was drawn in
 * between and never what is there. Holds one picture and no history.
 */
import { FleetError } from '../domain/errors.ts';
import type { ScreenFrame, Span } from '../wire/gen/fleet/v1/terminal.ts';
import { saneFrame } from './sane-frame.ts';

/** What a screen shows at one moment. Rows are shared, never changed. */
export interface ScreenPicture {
  /** Columns and rows. */
  width: number;
  height: number;
  cursorX: number;
  cursorY: number;
  cursorVisible: boolean;
  alternateScreen: boolean;
  /** The source's wall clock when it was read. */
  capturedMs: number;
  title: string;
  historyLines: number;
  /** `height` of them; what lies right of the last span is blank. */
  rows: readonly (readonly Span[])[];
}

/** Of all that a picture from elsewhere may hold: many times what goes through a tunnel in one message. */
const MAX_PICTURE_UNITS = 4 * 1024 * 1024;
const SPAN_UNITS = 32;

export class ScreenLog {
  #picture: ScreenPicture | null = null;
  #rowRevisions: number[] = [];
  /** Of the last change of size: a reader from before it has nothing that it may keep. */
  #sizeRevision = 0;
  #revision = 0;

  get picture(): ScreenPicture | null {
    return this.#picture;
  }

  /** Takes the whole screen as it is now; false when that is what was held, the time aside. */
  take(picture: ScreenPicture): boolean {
    const before = this.#picture;
    const resized = before === null || before.width !== picture.width || before.height !== picture.height;
    const changed = picture.rows.flatMap((row, y) => (resized || !isSameRow(row, before?.rows[y]) ? [y] : []));
    if (!resized && changed.length === 0 && isSameFrame(picture, before as ScreenPicture)) {
      this.#picture = { ...(before as ScreenPicture), capturedMs: picture.capturedMs };
      return false;
    }
    this.#revision += 1;
    if (resized) {
      this.#sizeRevision = this.#revision;
      this.#rowRevisions = new Array(picture.rows.length).fill(this.#revision);
    }
    for (const y of changed) this.#rowRevisions[y] = this.#revision;
    this.#picture = picture;
    return true;
  }

  /**
   * Takes what another log's `since` said, whoever has that log. False when it changes nothing, or builds on a keyframe
   * that never came. Throws DATA_LOSS for what no screen can be; the picture stays as it was.
   */
  apply(frame: ScreenFrame): boolean {
    const held = this.#picture;
    const { keyframe, rows: told, ...facts } = saneFrame(frame);
    const { width, height } = facts;
    if (!keyframe && (held === null || held.width !== width || held.height !== height)) return false;
    const rows: (readonly Span[])[] =
      keyframe || held === null ? Array.from({ length: height }, () => []) : [...held.rows];
    for (const { y, spans } of told) rows[y] = spans;
    if (unitsOf(rows) > MAX_PICTURE_UNITS) throw new FleetError('DATA_LOSS', 'more was sent than a screen can hold');
    return this.take({ ...facts, rows });
  }

  /** What changed after `cursor`, as one frame; null when nothing did. Cursor 0 gets a keyframe. */
  since(cursor: number): { frame: ScreenFrame; cursor: number } | null {
    const picture = this.#picture;
    if (picture === null || cursor >= this.#revision) return null;
    const keyframe = cursor < this.#sizeRevision;
    const rows = picture.rows.flatMap((spans, y) => {
      if (keyframe ? spans.length === 0 : (this.#rowRevisions[y] as number) <= cursor) return [];
      return [{ y, spans: spans as Span[] }];
    });
    return { frame: { ...picture, keyframe, rows }, cursor: this.#revision };
  }
}

const unitsOf = (rows: readonly (readonly Span[])[]): number =>
  rows.reduce((units, row) => row.reduce((sum, { text }) => sum + text.length + SPAN_UNITS, units), 0);

const isSameRow = (a: readonly Span[], b: readonly Span[] | undefined): boolean =>
  a === b || (b !== undefined && a.length === b.length && a.every((span, i) => isSameSpan(span, b[i] as Span)));

const isSameSpan = (a: Span, b: Span): boolean =>
  a.text === b.text &&
  a.columns === b.columns &&
  a.foreground === b.foreground &&
  a.background === b.background &&
  a.attributes === b.attributes &&
  a.underlineColor === b.underlineColor;

const isSameFrame = (a: ScreenPicture, b: ScreenPicture): boolean =>
  a.cursorX === b.cursorX &&
  a.cursorY === b.cursorY &&
  a.cursorVisible === b.cursorVisible &&
  a.alternateScreen === b.alternateScreen &&
  a.title === b.title &&
  a.historyLines === b.historyLines;
