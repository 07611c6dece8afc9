/**
 * A frame as it came, bounded: size, rows, spans and their columns are what a screen can have, whatever was sent. What
 * the characters are is not looked at here. Refuses a screen that is too large to be one.
 */
import { FleetError } from '../domain/errors.ts';
import type { ScreenFrame, Span } from '../wire/gen/fleet/v1/terminal.ts';

const MAX_SIDE = 1_000;
/** A cell is one character with the few that join it. */
const MAX_UNITS_A_COLUMN = 16;
const MAX_TITLE_UNITS = 1_000;
const ATTRIBUTES = 0x1fff;
const TRUE_COLOURS = 0x1000000;

/** Throws DATA_LOSS for a size that no screen has. */
export const saneFrame = (frame: ScreenFrame): ScreenFrame => {
  const { width, height } = frame;
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE) {
    throw new FleetError(
      'DATA_LOSS',
      `a screen of ${width}x${height} was sent; at most ${MAX_SIDE}x${MAX_SIDE} is shown`,
    );
  }
  return {
    ...frame,
    cursorX: Math.min(frame.cursorX, width - 1),
    cursorY: Math.min(frame.cursorY, height - 1),
    title: frame.title.slice(0, MAX_TITLE_UNITS),
    rows: frame.rows.flatMap(({ y, spans }) => (y < height ? [{ y, spans: saneSpans(spans, width) }] : [])),
  };
};

const saneSpans = (spans: readonly Span[], width: number): Span[] => {
  const sane: Span[] = [];
  let room = width;
  for (const span of spans) {
    const columns = Math.min(span.columns, room);
    if (columns < 1) continue;
    room -= columns;
    sane.push({
      text: span.text.slice(0, columns * MAX_UNITS_A_COLUMN),
      columns,
      foreground: saneColour(span.foreground),
      background: saneColour(span.background),
      attributes: span.attributes & ATTRIBUTES,
      underlineColor: saneColour(span.underlineColor),
    });
  }
  return sane;
};

/** What is no colour is the default one. */
const saneColour = (colour: number): number =>
  colour <= 256 || (colour >= TRUE_COLOURS && colour < 2 * TRUE_COLOURS) ? colour : 0;
