/**
 * What a person does at a keyboard, as it travels: printable text, a key by its tmux name, or a paste. The grammar of
 * names is closed: tmux types a name that it does not know letter by letter.
 */
import { FleetError } from './errors.ts';

export type KeyStroke = { text: string } | { key: string } | { paste: string };

/** As a message carries it: one of the three. */
export interface RawKeyStroke {
  text?: string | undefined;
  key?: string | undefined;
  paste?: string | undefined;
}

export const MAX_TEXT_BYTES = 4 * 1024;
export const MAX_PASTE_BYTES = 256 * 1024;
/** Of one call. */
export const MAX_STROKES = 512;
/** Of all strokes of one call together. */
const MAX_CALL_BYTES = MAX_PASTE_BYTES + 16 * 1024;

/** Keys with a name that take every modifier. */
const MOVING = 'Up|Down|Left|Right|Home|End|PageUp|PPage|PageDown|NPage|Insert|IC|Delete|DC|F[1-9]|F1[0-2]';
/** Characters with a name; tmux knows none of them with S-, but BTab. */
const NAMED = 'Enter|Escape|Space|Tab|BSpace';
/** What Ctrl makes a control character of. */
const CONTROL = String.raw`[a-z@[\\\]^_?/]|Space`;

const KEY = new RegExp(
  `^(?:(?:C-)?(?:M-)?(?:S-)?(?:${MOVING})|(?:M-)?(?:${NAMED})|BTab|C-(?:M-)?(?:${CONTROL})|M-[^\\p{C}\\p{Z}\\p{M}])$`,
  'u',
);

export const isKeyName = (name: string): boolean => KEY.test(name);

const CONTROLS = /\p{Cc}/u;

const encoder = new TextEncoder();
const bytesOf = (text: string): number => encoder.encode(text).length;

const refuse = (words: string): never => {
  throw new FleetError('INVALID_ARGUMENT', words);
};

const checkStroke = ({ text, key, paste }: RawKeyStroke): KeyStroke => {
  if ([text, key, paste].filter((part) => part !== undefined).length !== 1) {
    return refuse('a stroke is one of text, key and paste');
  }
  if (key !== undefined) return isKeyName(key) ? { key } : refuse('a stroke names a key that is not in the list');
  if (text !== undefined) {
    if (text === '' || CONTROLS.test(text)) return refuse('the text of a stroke must be printable, and not empty');
    if (bytesOf(text) > MAX_TEXT_BYTES) return refuse(`the text of a stroke is over ${MAX_TEXT_BYTES} bytes: paste it`);
    return { text };
  }
  const pasted = paste as string;
  if (pasted === '') return refuse('a paste must not be empty');
  if (bytesOf(pasted) > MAX_PASTE_BYTES) return refuse(`a paste is over ${MAX_PASTE_BYTES} bytes: paste it in parts`);
  return { paste: pasted };
};

/** The strokes of one call. Throws INVALID_ARGUMENT in words that quote nothing of what was typed. */
export const checkStrokes = (strokes: readonly RawKeyStroke[]): KeyStroke[] => {
  if (strokes.length === 0) refuse('no strokes');
  if (strokes.length > MAX_STROKES) refuse(`${strokes.length} strokes at once; at most ${MAX_STROKES}`);
  const checked = strokes.map(checkStroke);
  if (bytesOfStrokes(checked) > MAX_CALL_BYTES) refuse(`more than ${MAX_CALL_BYTES} bytes at once: type them in parts`);
  return checked;
};

/** UTF-8 bytes of what they say. */
export const bytesOfStrokes = (strokes: readonly KeyStroke[]): number =>
  strokes.reduce((sum, stroke) => sum + bytesOf(Object.values(stroke)[0] as string), 0);

/**
 * What may be pasted into a program: without control characters but LF and TAB, as ESC[201~ in a paste would end its
 * bracket and let the rest type. CRLF and CR become LF.
 */
export const cleanPaste = (text: string): string => text.replace(/\r\n?/g, '\n').replace(/[^\P{Cc}\n\t]/gu, '');
