/**
 * Patterns over names: `*` stands for any characters, also none, `?` for one, all else for itself. Matched in time that
 * grows with pattern times name, whatever either holds: names are made by whoever names sessions.
 */
export const globMatcher = (pattern: string): ((text: string) => boolean) => {
  const parts = [...pattern.replaceAll(/\*+/g, '*')];
  if (parts.length === 1 && parts[0] === '*') return () => true;
  if (!parts.includes('*') && !parts.includes('?')) return (text) => text === pattern;
  return (text) => matches(parts, [...text]);
};

const matches = (pattern: readonly string[], text: readonly string[]): boolean => {
  let at = 0;
  let from = 0;
  /** The last star, and where the text goes on after what it stands for so far. */
  let star = -1;
  let resumed = 0;
  while (from < text.length) {
    if (pattern[at] === '*') {
      star = at++;
      resumed = from;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[from])) {
      at++;
      from++;
    } else if (star >= 0) {
      at = star + 1;
      from = ++resumed;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
};
