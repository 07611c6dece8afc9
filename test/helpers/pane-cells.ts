/**
 * What `capture-pane -p -e -N` printed, as cells: each character with how it looks, so that two ways to say the same look
 * are equal. Read here anew, so that the product's own reading of it is tested by another.
 */

/** One row: its characters, each with its look behind it where it has one. Plain blanks at its end are left out. */
export type CellRow = string[];

interface Look {
  on: Set<string>;
  colours: Map<string, string>;
}

/** Line drawing between SO and SI, as tmux keeps what a program drew in it (VT100 special graphics). */
const DRAWN: Record<string, string> = Object.fromEntries(
  [...'jklmnqtuvwxa~`'].map((key, index) => [key, [...'┘┐┌└┼─├┤┴┬│▒·◆'][index] as string]),
);
const ATTRIBUTES = ['', 'bold', 'dim', 'italic', 'underline', 'blink', '', 'reverse', 'hidden', 'struck'];
const UNSEEN_ON_BLANKS: ReadonlySet<string> = new Set(['bold', 'dim', 'italic', 'blink', 'hidden']);
const UNDERLINES = ['', 'underline', 'double', 'curly', 'dotted', 'dashed'];
const TOKEN = /\x1b\[([\d;:]*)m|\x1b\][^\x1b\x07]*(?:\x1b\\|\x07)|[\x0e\x0f]|./gu;

export const cellRows = (captured: string): CellRow[] => {
  const look: Look = { on: new Set(), colours: new Map() };
  return captured.split('\n').map((line) => cellsOf(line, look));
};

const cellsOf = (line: string, look: Look): CellRow => {
  const cells: CellRow = [];
  let isDrawing = false;
  for (const [token, sgr] of line.matchAll(TOKEN)) {
    if (sgr !== undefined) apply(sgr, look);
    else if (token === '\x0e' || token === '\x0f') isDrawing = token === '\x0e';
    else if (!token.startsWith('\x1b'))
      cells.push(((isDrawing && DRAWN[token]) || token) + wordsOf(look, token === ' '));
  }
  while (cells.at(-1) === ' ') cells.pop();
  return cells;
};

/** Of a blank only what is seen of it. */
const wordsOf = ({ on, colours }: Look, isBlank: boolean): string => {
  const looks = [...on].filter((word) => !isBlank || !UNSEEN_ON_BLANKS.has(word));
  const hasInk = !isBlank || looks.length > 0;
  const painted = [...colours].filter(([what]) => hasInk || what === 'bg');
  return [...looks, ...painted.map(([what, colour]) => `${what}=${colour}`)]
    .sort()
    .map((word) => ` ${word}`)
    .join('');
};

const apply = (sgr: string, look: Look): void => {
  const codes = sgr.split(';');
  for (let at = 0; at < codes.length; at++) {
    const [code = 0, style] = (codes[at] as string).split(':').map(Number);
    const long = /^(?:38|48|58)(?:[;:]\d*)*/.exec(codes.slice(at).join(';'));
    if (code === 38 || code === 48 || code === 58) {
      const rest = (long as RegExpExecArray)[0].split(/[;:]+/).map(Number);
      const isPalette = rest[1] === 5;
      const colour = isPalette ? `${rest[2]}` : `#${rest.slice(2, 5).join(',')}`;
      look.colours.set(code === 38 ? 'fg' : code === 48 ? 'bg' : 'line', colour);
      if (style === undefined) at += isPalette ? 2 : 4;
    } else applyOne(code, style, look);
  }
};

const applyOne = (code: number, style: number | undefined, { on, colours }: Look): void => {
  const forget = (...words: string[]) => words.forEach((word) => void on.delete(word));
  if (code === 0) {
    on.clear();
    colours.clear();
  } else if (code === 4 || code === 24 || code === 21) {
    forget(...UNDERLINES);
    const word = code === 24 ? '' : code === 21 ? 'double' : UNDERLINES[style ?? 1];
    if (word) on.add(word);
  } else if (code === 53) on.add('over');
  else if (code === 55) forget('over');
  else if (code === 22) forget('bold', 'dim');
  else if (code > 22 && code < 30) forget(ATTRIBUTES[code - 20] as string);
  else if (code < 10 && ATTRIBUTES[code]) on.add(ATTRIBUTES[code] as string);
  else if (code === 39) colours.delete('fg');
  else if (code === 49) colours.delete('bg');
  else if (code === 59) colours.delete('line');
  else if (code >= 30 && code < 38) colours.set('fg', `${code - 30}`);
  else if (code >= 40 && code < 48) colours.set('bg', `${code - 40}`);
  else if (code >= 90 && code < 98) colours.set('fg', `${code - 82}`);
  else if (code >= 100 && code < 108) colours.set('bg', `${code - 92}`);
  else throw new Error(`tmux printed a look that is not known here: ${code}`);
};
