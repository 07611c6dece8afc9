/**
 * What a runtime's screen shows of a conversation, and whether another look shows a new one. Pure. Compared without blanks
 * and frames, since a program draws its lines anew as it likes.
 */
import { isOwnLine } from '../../src/domain/runtime-reset.ts';
import { type Look, lineOf, NOT_COMPARED } from './screen-evidence.ts';

/** A shorter line may stand anywhere by chance. */
const MIN_TELLING = 3;
/** The newest lines stand next to the composer: nothing but a new conversation takes them away. */
const NEWEST = 2;

/** Lines above the composer that are not the program's own, oldest first; null where no composer is known. */
export const saidOn = (runtime: string, { picture, reading }: Look): string[] | null => {
  const composer = reading?.composer;
  if (!composer) return null;
  return picture.rows
    .slice(0, composer.y)
    .map(lineOf)
    .filter((line) => !isOwnLine(runtime, line))
    .map((line) => line.replace(NOT_COMPARED, ''))
    .filter((line) => line.length >= MIN_TELLING);
};

/** `before`: what was said when the command was typed. Where nothing was, nothing may have come. */
export const isNewConversation = (before: readonly string[], now: readonly string[]): boolean =>
  before.length === 0 ? now.length === 0 : !before.slice(-NEWEST).some((line) => now.includes(line));
