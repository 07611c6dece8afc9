/** Words of a command line that a person is asked to copy: whatever a host calls its things, a shell runs none of it. */
import { cleanText } from '../../domain/clean-text.ts';
import type { Paths } from '../../runtime/paths.ts';
import { shellWord } from '../../runtime/quote.ts';

/** What starts this program for the same fleet. */
export const fleetWords = ({ instance, context }: Pick<Paths, 'instance' | 'context'>): string =>
  [
    'fleet',
    ...(instance === null ? [] : [`--instance ${instance}`]),
    ...(context === null ? [] : [`--context ${context}`]),
  ].join(' ');

/** null where a word has characters that a terminal would not show as they are: what is copied would be another word. */
export const shellLine = (...words: readonly string[]): string | null =>
  words.every((word) => word !== '' && cleanText(word) === word) ? words.map(shellWord).join(' ') : null;
