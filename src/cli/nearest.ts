import { editDistance } from '../domain/edit-distance.ts';

/** The word that was probably meant, or null when nothing is near enough to be worth saying. */
export const nearest = (typed: string, words: Iterable<string>): string | null => {
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(typed.length / 3)) + 1;
  for (const word of words) {
    const distance = word.startsWith(typed) && typed.length > 1 ? 1 : editDistance(typed, word);
    if (distance >= bestDistance || distance >= Math.max(typed.length, word.length)) continue;
    best = word;
    bestDistance = distance;
  }
  return best;
};

export const didYouMean = (typed: string, words: Iterable<string>, orElse: string): string => {
  const word = nearest(typed, words);
  return word === null ? orElse : `did you mean ${word}?`;
};
