/**
 * What is typed for a message: its text without what a terminal would obey, and in front of it who it is from. Pure.
 * Nobody can write a second label into a message.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { cleanPaste } from '../../src/domain/key-stroke.ts';
import { UNPROVEN_SESSION } from '../../src/domain/sender.ts';

export const MAX_TEXT_BYTES = 256 * 1024;
/** A terminal in line mode drops what a line has beyond it, its end included. */
export const MAX_COOKED_LINE_BYTES = 4_095;

export interface Label {
  from: { host: string; session: string };
  to: { host: string; session: string };
}

export interface Message {
  text: string;
  /** To be typed, not pasted: the runtime looks for its own commands only there. */
  isCommand: boolean;
}

/** `[W-jarvis:operator -> …]`, as this fleet and those before it write them. */
const LABEL_LIKE = /^[\p{Z}\t>]*[[［【][^\]］】]*(?:[:：][^\]］】]*(?:[-‐-―]+[>›]|[→⇒➜])|[:：]\s*operator\s*[\]］】])/u;
const COMMAND = /^\/[A-Za-z][^\n]*$/;
/** Line and paragraph separators are ends of lines to some programs. */
const OTHER_LINE_ENDS = /[\u2028\u2029]/g;
const MAX_NAME = 64;

/** Throws INVALID_ARGUMENT in words that quote nothing of the text. `label` null leaves it out. */
export const messageOf = (text: string, label: Label | null): Message => {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_TEXT_BYTES) {
    throw new FleetError(
      'INVALID_ARGUMENT',
      `a message of ${bytes} bytes, at most ${MAX_TEXT_BYTES}: send a file's path`,
    );
  }
  const body = cleanPaste(text.toWellFormed().replace(OTHER_LINE_ENDS, '\n'))
    .replace(/\s+$/, '')
    .split('\n')
    .map((line) => (LABEL_LIKE.test(line) ? `> ${line}` : line))
    .join('\n');
  if (body.trim() === '') throw new FleetError('INVALID_ARGUMENT', 'the message has no text that could be typed');
  if (label !== null) return { text: `${labelText(label)} ${body}`, isCommand: false };
  if (/^\s*!/.test(body)) {
    throw new FleetError(
      'INVALID_ARGUMENT',
      'a message without a label may not begin with "!": runtimes run the rest of it in a shell',
    );
  }
  return { text: body, isCommand: COMMAND.test(body) };
};

const labelText = ({ from, to }: Label): string =>
  `[${nameOf(from.host)}:${nameOf(from.session)} -> ${nameOf(to.host)}:${nameOf(to.session)}]`;

/** A part of a label can end neither the part nor the label. */
const nameOf = (name: string): string =>
  name
    .toWellFormed()
    .replace(/[\p{C}\p{Z}[\]:>]/gu, '_')
    .slice(0, MAX_NAME) || UNPROVEN_SESSION;

/** Bytes of the longest line. */
export const longestLineBytes = (text: string): number =>
  Math.max(...text.split('\n').map((line) => Buffer.byteLength(line)));
