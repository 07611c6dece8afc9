/**
 * Patterns over names: `*` stands for any characters, also none, `?` for one, all else for itself. Matched in time that
 * grows with pattern times name, whatever either holds: names are made by whoever names sessions.
 */
export const globMatcher = (pattern: string): ((text: string) => boolean) => {
  const plain = pattern.replaceAll(/\*+/g, '*');
  if (plain === '*') return () => true;
  if (plain.includes('?')) return (text) => matches(plain, text);
  const parts = plain.split('*');
  return parts.length === 1 ? (text) => text === plain : (text) => standInOrder(parts, text);
};

/** The first begins it, the last ends it, the others stand between them one after the other. */
const standInOrder = (parts: readonly string[], text: string): boolean => {
  const first = parts[0] as string;
  const last = parts[parts.length - 1] as string;
  const end = text.length - last.length;
  let from = first.length;
  if (from > end || !text.startsWith(first) || !text.endsWith(last)) return false;
  for (let at = 1; at < parts.length - 1; at++) {
    const part = parts[at] as string;
    const found = text.indexOf(part, from);
    if (found < 0 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
};

/** Of one character: a pair of surrogates is one. */
const widthAt = (text: string, at: number): number => ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);

const matches = (pattern: string, text: string): boolean => {
  let at = 0;
  let from = 0;
  /** The last star, and where the text goes on after what it stands for so far. */
  let star = -1;
  let resumed = 0;
  while (from < text.length) {
    if (pattern[at] === '*') {
      star = at++;
      resumed = from;
    } else if (pattern[at] === '?') {
      at++;
      from += widthAt(text, from);
    } else if (at < pattern.length && pattern[at] === text[from]) {
      at++;
      from++;
    } else if (star >= 0) {
      at = star + 1;
      resumed += widthAt(text, resumed);
      from = resumed;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
};
