/** Text for sh and for tmux's own language, in which no word is ever more than a word. */

export const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The same quotes, nothing expanded inside. */
export const tmuxQuoted = shellQuoted;

const SAFE = /^[A-Za-z0-9_.,:@%+=/-]+$/;

/** Quoted where a shell would act upon it. */
export const shellWord = (word: string): string => (SAFE.test(word) ? word : shellQuoted(word));
