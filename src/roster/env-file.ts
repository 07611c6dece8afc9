/**
 * Reads an env file as systemd and a shell both would read its plain lines: `export`, comments, quotes, escapes,
 * a quoted value over several lines. What is no assignment is passed over, and said. Nothing is expanded or run.
 */

import { envValueFault } from './env-values.ts';
import { type Fault, faultWords } from './fault.ts';

export interface ParsedEnvFile {
  values: Map<string, string>;
  /** `file:line:column: words`, the first of what is wrong; null when nothing is. */
  problem: string | null;
}

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=/;
/** systemd refuses a file that is no UTF-8 as a whole; reading has made U+FFFD of such bytes. */
const NO_TEXT = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]/;

export const parseEnvFile = (written: string, file: string): ParsedEnvFile => {
  const text = written.replaceAll('\r\n', '\n');
  const values = new Map<string, string>();
  const faults: Fault[] = [];
  const noText = NO_TEXT.exec(text);
  if (noText !== null) {
    const words = 'here is a byte that belongs in no text: nothing in this file counts';
    return { values, problem: faultWords(file, text, [{ offset: noText.index, words }]) };
  }
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const match = ASSIGNMENT.exec(rest);
    const start = match ? match[0].length : 0;
    const { value, length, openQuote } = match ? readValue(rest.slice(start)) : NO_VALUE;
    const lineEnd = rest.indexOf('\n', start + length);
    if (match) values.set(match[1]!, value);
    const words = match ? valueWords(match[1]!, value, openQuote) : lineWords(rest.split('\n', 1)[0]!);
    if (words !== null) faults.push({ offset: at + start + Math.max(0, openQuote), words });
    at = lineEnd === -1 ? text.length : at + lineEnd + 1;
  }
  return { values, problem: faults.length === 0 ? null : faultWords(file, text, faults) };
};

const valueWords = (name: string, value: string, openQuote: number): string | null =>
  openQuote === -1 ? envValueFault(name, value) : 'this quote is never closed';

/** Without its text, which may be a secret: what is wrong in such a file is told to logs and to other hosts. */
const lineWords = (line: string): string | null =>
  /^[ \t]*([#;].*)?$/.test(line) ? null : 'this line is no assignment, and counts for nothing: write NAME=value';

interface ReadValue {
  value: string;
  /** In characters of the text. */
  length: number;
  /** Where a quote begins that is never closed; -1 where there is none. */
  openQuote: number;
}

const NO_VALUE: ReadValue = { value: '', length: 0, openQuote: -1 };

/** A value up to the end of its line, or to its closing quote. */
const readValue = (text: string): ReadValue => {
  let value = '';
  let at = /^[ \t]*/.exec(text)![0].length;
  let openQuote = -1;
  // Blanks at the end belong to the value only inside quotes.
  let kept = 0;
  while (at < text.length && text[at] !== '\n') {
    const char = text[at]!;
    const isQuote = char === "'" || char === '"';
    const end = isQuote ? closingQuote(text, at) : -1;
    if (end > at) {
      const inside = text.slice(at + 1, end);
      value += char === '"' ? unescaped(inside) : inside;
      at = end + 1;
      kept = value.length;
    } else if (char === '#' && at > 0 && /[ \t]/.test(text[at - 1]!)) break;
    else if (char === '\\' && at + 1 < text.length) {
      if (text[at + 1] !== '\n') value += text[at + 1];
      at += 2;
      kept = value.length;
    } else {
      if (isQuote && openQuote === -1) openQuote = at;
      value += char;
      at += 1;
      if (!/[ \t]/.test(char)) kept = value.length;
    }
  }
  return { value: value.slice(0, kept), length: at, openQuote };
};

/** What double quotes leave of backslashes. */
const unescaped = (inside: string): string =>
  inside.replace(/\\([\\"$`\n])/g, (_, character: string) => (character === '\n' ? '' : character));

/** -1: the quote is never closed, and stands for itself. */
const closingQuote = (text: string, start: number): number => {
  const quote = text[start]!;
  for (let at = start + 1; at < text.length; at += 1) {
    if (quote === '"' && text[at] === '\\') at += 1;
    else if (text[at] === quote) return at;
  }
  return -1;
};
