/**
 * What two looks at a screen prove about a text that was typed in between. Pure. Compared without blanks, frames and
 * pictures, since a program wraps, frames and draws a text as it likes; what is not proven is `unseen`.
 */
import { textWidth } from '../../src/domain/clean-text.ts';
import type { ScreenPicture } from '../../src/screen/screen-log.ts';
import type { PromptReading, Span } from '../../src/wire/gen/fleet/v1/terminal.ts';

export interface Look {
  picture: ScreenPicture;
  /** null where no rules fit the runtime. */
  reading: PromptReading | null;
}

/**
 * What stands where the agent takes text. ours: our text and nothing else. mixed: ours and more. other: something else.
 * empty: nothing. unseen: it cannot be told.
 */
export type Standing = 'ours' | 'mixed' | 'other' | 'empty' | 'unseen';

/** What a runtime shows in place of a long paste. */
const PASTE_MARK = /\[past(?:e|ed)[^[\]]{0,48}\]/gi;
export const NOT_COMPARED = /[\s\p{Z}\u2500-\u259f\p{Cf}\p{M}\p{Extended_Pictographic}\p{Regional_Indicator}\ufffd]/gu;
const BLANKS = /[\s\p{Z}]/gu;
/** A shorter end of a text may stand anywhere by chance. */
const MIN_TELLING = 8;
const END_LENGTH = 32;

export class TypedText {
  readonly whole: string;
  readonly head: string;
  readonly tail: string;
  readonly #squeeze: (text: string) => string;

  constructor(text: string) {
    const compared = text.replace(NOT_COMPARED, '');
    // All pictures: then they are what is compared.
    this.#squeeze = compared === '' ? (each) => each.replace(BLANKS, '') : (each) => each.replace(NOT_COMPARED, '');
    this.whole = this.#squeeze(text);
    this.head = this.whole.slice(0, END_LENGTH);
    this.tail = this.whole.slice(-END_LENGTH);
  }

  /** `before`: the look before anything was typed. */
  standing(now: Look, before: Look): Standing {
    const composer = now.reading?.composer;
    if (composer) return composer.placeholder ? 'empty' : this.#inComposer(composer.text);
    return this.#atCursor(now.picture, before.picture);
  }

  /** How often its end is on the screen. */
  copies({ picture }: Look): number {
    return this.#squeeze(picture.rows.map(lineOf).join('')).split(this.tail).length - 1;
  }

  #inComposer(text: string): Standing {
    const marks = text.match(PASTE_MARK)?.length ?? 0;
    const stands = this.#squeeze(text.replace(PASTE_MARK, ''));
    if (stands === '') return marks > 0 ? 'ours' : 'empty';
    if (stands === this.whole) return 'ours';
    // Part of a long text: a composer shows a few lines of it, or puts a mark in place of some.
    if (stands.length >= Math.min(MIN_TELLING, this.whole.length) && this.whole.includes(stands)) return 'ours';
    return marks > 0 || stands.includes(this.head) || stands.includes(this.tail) ? 'mixed' : 'other';
  }

  /** Without a composer that is known: what stands before the cursor, and what stood there. */
  #atCursor(now: ScreenPicture, before: ScreenPicture): Standing {
    const left = leftOfCursor(now);
    const prompt = leftOfCursor(before);
    if (left.trim() === '') return 'unseen';
    if (left === prompt) return 'empty';
    if (this.#squeeze(left) === this.#squeeze(prompt) + this.whole) return 'ours';
    const above = now.rows.slice(0, now.cursorY).map(lineOf).join('');
    const upTo = this.#squeeze(above + left);
    return this.tail.length >= MIN_TELLING && upTo.endsWith(this.tail) ? 'ours' : 'unseen';
  }
}

const PROMPT_END = /[>❯›»$#%:?]$/;
const PROMPT_THEN_TEXT = /[>❯›»$#%:?]\s+\S/;

/** Something that somebody typed and did not submit stands where our text would go. */
export const holdsDraft = ({ picture, reading }: Look): boolean => {
  if (reading?.composer) return !reading.composer.placeholder && reading.composer.text.trim() !== '';
  const left = leftOfCursor(picture).trimEnd();
  return left !== '' && !PROMPT_END.test(left) && PROMPT_THEN_TEXT.test(left);
};

export const isBlocked = ({ reading }: Look): boolean => reading?.state === 'blocked';
export const isWorking = ({ reading }: Look): boolean => reading?.state === 'working';

export const lineOf = (row: readonly Span[]): string => row.map(({ text }) => text).join('');

/** Text of the cursor's row before it. */
const leftOfCursor = ({ rows, cursorX, cursorY }: ScreenPicture): string => {
  let text = '';
  let column = 0;
  for (const span of rows[cursorY] ?? []) {
    for (const character of span.text) {
      const width = span.columns === span.text.length ? 1 : textWidth(character);
      if (column + width > cursorX) return text;
      text += character;
      column += width;
    }
  }
  return text;
};
