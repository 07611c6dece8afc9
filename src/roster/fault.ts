/** Something wrong in a roster, and where its text begins. */
export interface Fault {
  /** Characters from the start of the text. */
  offset: number;
  words: string;
}

/** `line:column`, both from 1. */
const place = (text: string, offset: number): string => {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return `${line}:${offset - before.lastIndexOf('\n')}`;
};

/** One line: the first fault in the order of the text, and how many more there are. */
export const faultWords = (file: string, text: string, faults: readonly Fault[]): string => {
  const [first, ...more] = faults.toSorted((a, b) => a.offset - b.offset);
  const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
  return `${file}:${place(text, first!.offset)}: ${cut(visible(first!.words), MAX_WORDS)}${rest}`;
};

/** A value of the file as it may be shown: short, quoted, on one line. */
export const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return `\`${cut(visible(text), 40)}\``;
};

const MAX_WORDS = 240;

/** A library's words quote the file too. */
const visible = (text: string): string => text.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
