/**
 * Lines told again after a break, without those that were told before. Comes in: the last lines told, and the last lines
 * there now. Where nothing of the one is found in the other, lines are missing between them.
 */
export const newLines = (
  told: readonly string[],
  now: readonly string[],
): { lines: readonly string[]; isWhole: boolean } => {
  if (told.length === 0) return { lines: now, isWhole: true };
  // The most that fits: what repeats itself is not told twice.
  for (let known = now.length; known > 0; known--) {
    const compared = Math.min(known, told.length);
    if (endsWith(told, now, known, compared)) return { lines: now.slice(known), isWhole: true };
  }
  return { lines: now, isWhole: now.length === 0 };
};

/** The `compared` lines before `known` in `now` are the last ones told. */
const endsWith = (told: readonly string[], now: readonly string[], known: number, compared: number): boolean => {
  for (let back = 1; back <= compared; back++) {
    if (now[known - back] !== told[told.length - back]) return false;
  }
  return true;
};
