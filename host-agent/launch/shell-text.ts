/** What a launch's command is to sh: one program that can be exec'ed, or a shell's business. */
import { shellQuoted } from '../../src/runtime/quote.ts';

/** Words of sh that begin a construct, or change the shell that reads on: `exec` in front of them would do something else. */
const NO_PROGRAM = new Set(
  (
    '! { } if then elif else fi for while until do done case esac in function select time coproc [[ ' +
    '. : alias bg break cd command continue eval exec exit export fg getopts hash jobs read readonly return set shift ' +
    'source times trap type ulimit umask unalias unset wait'
  ).split(' '),
);

/** A variable set for one command. */
const ASSIGNMENT = /^[A-Za-z_][A-Za-z0-9_]*=/;

/**
 * The words of a command that runs one program and nothing else, quotes and all; null for everything else (pipes, lists,
 * loops, builtins, redirections of more than output). Errs towards null.
 */
export const simpleCommand = (command: string): string[] | null => {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < command.length; at += 1) {
    const char = command[at]!;
    if (quote !== '') {
      if (char === quote) quote = '';
      else if (quote === '"' && char === '\\') word += char + (command[++at] ?? '');
      if (char !== '\\' || quote === "'") word += char;
    } else if (char === '\\') word += char + (command[++at] ?? '');
    else if (char === "'" || char === '"') {
      quote = char;
      word += char;
    } else if (char === ' ' || char === '\t') {
      if (word !== '') words.push(word);
      word = '';
    } else if (/[\n;&|<>()`]/.test(char) || (char === '#' && word === '')) return null;
    else word += char;
  }
  if (quote !== '') return null;
  if (word !== '') words.push(word);
  const [first] = words;
  return first === undefined || NO_PROGRAM.has(first) || ASSIGNMENT.test(first) ? null : words;
};

/**
 * The last line of a launch: the command in the place of the shell. One program is exec'ed, so that the pane's process is
 * that program at once; anything else is a shell's business, and stays below a shell of its own.
 */
export const execText = (command: string): string =>
  simpleCommand(command) === null ? `exec sh -c ${shellQuoted(command)}` : `exec ${command}`;
