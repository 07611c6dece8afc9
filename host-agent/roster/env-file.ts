/**
 * Reads an env file as systemd and a shell both would read its plain lines: `export`, comments, quotes, escapes,
 * a quoted value over several lines. What is no assignment is passed over. Nothing is expanded, nothing is run.
 */
export const parseEnvFile = (text: string): Map<string, string> => {
  const values = new Map<string, string>();
  const assignment = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=/;
  let rest = text.replaceAll('\r\n', '\n');
  while (rest !== '') {
    const match = assignment.exec(rest);
    const start = match ? match[0].length : rest.length;
    const { value, length } = match ? readValue(rest.slice(start)) : { value: '', length: 0 };
    if (match) values.set(match[1]!, value);
    const lineEnd = rest.indexOf('\n', match ? start + length : 0);
    rest = lineEnd === -1 ? '' : rest.slice(lineEnd + 1);
  }
  return values;
};

/** A value up to the end of its line, or to its closing quote; `length` in characters of the text. */
const readValue = (text: string): { value: string; length: number } => {
  let value = '';
  let at = /^[ \t]*/.exec(text)![0].length;
  // Blanks at the end belong to the value only inside quotes.
  let kept = 0;
  while (at < text.length && text[at] !== '\n') {
    const char = text[at]!;
    const end = char === "'" || char === '"' ? closingQuote(text, at) : -1;
    if (end > at) {
      const inside = text.slice(at + 1, end);
      value += char === '"' ? unescaped(inside) : inside;
      at = end + 1;
      kept = value.length;
    } else if (char === '#' && at > 0 && /[ \t]/.test(text[at - 1]!)) break;
    else if (char === '\\' && at + 1 < text.length) {
      if (text[at + 1] !== '\n') value += text[at + 1];
      at += 2;
      kept = value.length;
    } else {
      value += char;
      at += 1;
      if (!/[ \t]/.test(char)) kept = value.length;
    }
  }
  return { value: value.slice(0, kept), length: at };
};

/** What double quotes leave of backslashes. */
const unescaped = (inside: string): string =>
  inside.replace(/\\([\\"$`\n])/g, (_, character: string) => (character === '\n' ? '' : character));

/** -1: the quote is never closed, and stands for itself. */
const closingQuote = (text: string, start: number): number => {
  const quote = text[start]!;
  for (let at = start + 1; at < text.length; at += 1) {
    if (quote === '"' && text[at] === '\\') at += 1;
    else if (text[at] === quote) return at;
  }
  return -1;
};
