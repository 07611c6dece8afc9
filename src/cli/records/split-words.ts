/** A command as it is typed, to its words: blanks part them, quotes and backslashes keep them. Nothing is expanded, and no shell runs. */
import { UsageError } from '../usage-error.ts';

/** Throws UsageError for a quote that is not closed, and for nothing at all. */
export const splitWords = (flag: string, text: string): [string, ...string[]] => {
  const words: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    const isEscape = character === '\\' && quote !== "'" && at + 1 < text.length;
    if (isEscape) word = (word ?? '') + text.charAt(++at);
    else if (quote !== '') {
      if (character === quote) quote = '';
      else word = (word ?? '') + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? '') + character;
  }
  if (quote !== '') throw new UsageError(`--${flag}: a ${quote} is not closed`);
  if (word !== null) words.push(word);
  const [first, ...rest] = words;
  if (first === undefined || first === '') throw new UsageError(`--${flag}: name a program`);
  return [first, ...rest];
};
