/**
 * The look of the next cell, and how a sequence of tmux's changes it. Numbers are those of Span in terminal.proto. What
 * is not understood changes nothing.
 */
export interface Pen {
  foreground: number;
  background: number;
  attributes: number;
  underlineColor: number;
  /** Letters stand for lines and corners. */
  lineDrawing: boolean;
}

export const DEFAULT_PEN: Pen = {
  foreground: 0,
  background: 0,
  attributes: 0,
  underlineColor: 0,
  lineDrawing: false,
};

const RGB = 0x1000000;
const UNDERLINES = 8 | 256 | 512 | 1024 | 2048;
/** Of 4:n. */
const UNDERLINE_STYLES = [0, 8, 256, 512, 1024, 2048];
const OVERLINE = 4096;

const SET: Record<number, number> = {
  1: 1,
  2: 2,
  3: 4,
  4: 8,
  5: 16,
  6: 16,
  7: 32,
  8: 64,
  9: 128,
  21: 256,
  53: OVERLINE,
};
const CLEAR: Record<number, number> = {
  22: 1 | 2,
  23: 4,
  24: UNDERLINES,
  25: 16,
  27: 32,
  28: 64,
  29: 128,
  55: OVERLINE,
};

const byte = (value: number | undefined): number | null =>
  value !== undefined && value >= 0 && value <= 255 ? value : null;

/** `5;n`, `2;r;g;b`, and with colons `2::r:g:b` too; how many values it took, and null for a colour that is none. */
const colorOf = (values: readonly number[]): { color: number | null; took: number } => {
  if (values[0] === 5) {
    const index = byte(values[1]);
    return { color: index === null ? null : index + 1, took: 2 };
  }
  if (values[0] !== 2) return { color: null, took: 1 };
  const [red, green, blue] = [byte(values[1]), byte(values[2]), byte(values[3])];
  if (red === null || green === null || blue === null) return { color: null, took: 4 };
  return { color: RGB + (red << 16) + (green << 8) + blue, took: 4 };
};

/** The values after 38, 48 or 58 of one parameter: a colour space may stand between, and be empty. */
const ofColons = (values: readonly number[]): readonly number[] =>
  values[0] === 2 && values.length >= 5 ? [2, ...values.slice(2)] : values;

const withAttributes = (pen: Pen, set: number, clear: number): Pen => ({
  ...pen,
  attributes: (pen.attributes & ~clear) | set,
});

const withColor = (pen: Pen, which: number, color: number | null): Pen => {
  if (color === null) return pen;
  if (which === 38) return { ...pen, foreground: color };
  if (which === 48) return { ...pen, background: color };
  return { ...pen, underlineColor: color };
};

const applyOne = (pen: Pen, code: number): Pen => {
  if (code === 0) return { ...DEFAULT_PEN, lineDrawing: pen.lineDrawing };
  if (code === 4 || code === 21) return withAttributes(pen, SET[code] as number, UNDERLINES);
  if (SET[code] !== undefined) return withAttributes(pen, SET[code], 0);
  if (CLEAR[code] !== undefined) return withAttributes(pen, 0, CLEAR[code]);
  if (code >= 30 && code <= 37) return { ...pen, foreground: code - 29 };
  if (code >= 40 && code <= 47) return { ...pen, background: code - 39 };
  if (code >= 90 && code <= 97) return { ...pen, foreground: code - 81 };
  if (code >= 100 && code <= 107) return { ...pen, background: code - 91 };
  if (code === 39) return { ...pen, foreground: 0 };
  if (code === 49) return { ...pen, background: 0 };
  if (code === 59) return { ...pen, underlineColor: 0 };
  return pen;
};

const applyColons = (pen: Pen, [code, ...rest]: readonly number[]): Pen => {
  if (code === 38 || code === 48 || code === 58) return withColor(pen, code, colorOf(ofColons(rest)).color);
  if (code === 4) return withAttributes(pen, UNDERLINE_STYLES[rest[0] ?? 1] ?? 8, UNDERLINES);
  // tmux prints every code over 9 as digits with a colon between: 53 comes as 5:3.
  if (code === 5 && rest[0] === 3) return withAttributes(pen, OVERLINE, 0);
  return pen;
};

/** `parameters` is what stands between `ESC [` and `m`. */
export const applySgr = (pen: Pen, parameters: string): Pen => {
  const all = parameters.split(';').map((each) => each.split(':').map(Number));
  let after = pen;
  for (let at = 0; at < all.length; at++) {
    const [code = 0, ...more] = all[at] as number[];
    if (more.length > 0) after = applyColons(after, [code, ...more]);
    else if (code === 38 || code === 48 || code === 58) {
      const { color, took } = colorOf(all.slice(at + 1).map(([value]) => value ?? 0));
      after = withColor(after, code, color);
      at += took;
    } else after = applyOne(after, code);
  }
  return after;
};
