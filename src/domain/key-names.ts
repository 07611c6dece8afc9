/** Keys that `fleet keys` may press. Pure. Nothing in the list ends a program, and no message can be spelled with it. */
import { cleanText } from './clean-text.ts';
import { FleetError } from './errors.ts';

/** By tmux's names; what people call them otherwise is understood, too. */
export const KEY_NAMES: readonly string[] = [
  'Enter',
  'Escape',
  'Tab',
  'BTab',
  'Space',
  'BSpace',
  'DC',
  'Up',
  'Down',
  'Left',
  'Right',
  'Home',
  'End',
  'PageUp',
  'PageDown',
  'C-c',
  'C-u',
  'C-l',
  'C-o',
  'C-r',
  'C-t',
  'y',
  'n',
  ...'0123456789',
];

const OTHER_NAMES: Record<string, string> = {
  return: 'Enter',
  esc: 'Escape',
  backspace: 'BSpace',
  delete: 'DC',
  ppage: 'PageUp',
  npage: 'PageDown',
  'shift-tab': 'BTab',
  's-tab': 'BTab',
  'ctrl-c': 'C-c',
  'ctrl-u': 'C-u',
};

const BY_WORD = new Map([
  ...KEY_NAMES.map((name) => [name.toLowerCase(), name] as const),
  ...Object.entries(OTHER_NAMES),
]);

/** These answer a prompt, or may. */
const ANSWERING = /^(Enter|Space|y|n|\d)$/;
const MAX_KEYS = 32;
/** A secret that was typed by mistake is not told whole. */
const MAX_NAMED_CHARACTERS = 16;

export const isAnswering = (key: string): boolean => ANSWERING.test(key);

/** tmux's names. Throws INVALID_ARGUMENT naming the keys there are. */
export const keyNames = (words: readonly string[]): string[] => {
  if (words.length === 0) throw new FleetError('INVALID_ARGUMENT', 'no keys');
  if (words.length > MAX_KEYS) throw new FleetError('INVALID_ARGUMENT', `${words.length} keys; at most ${MAX_KEYS}`);
  const keys = words.map((word) => BY_WORD.get(word.toLowerCase()));
  const wrong = keys.indexOf(undefined);
  if (wrong >= 0) {
    const list = KEY_NAMES.join(' ');
    const typed = cleanText((words[wrong] as string).slice(0, MAX_NAMED_CHARACTERS));
    throw new FleetError(
      'INVALID_ARGUMENT',
      `key ${wrong + 1}, "${typed}", may not be pressed; fleet attach types freely. Keys: ${list}`,
    );
  }
  if (keys.filter((key) => key === 'C-c').length > 1) {
    throw new FleetError('INVALID_ARGUMENT', 'C-c more than once ends a runtime: fleet stop does that');
  }
  return keys as string[];
};
