/**
 * How many columns text takes in tmux's grid, and which characters share a cell. Comes in: text that a grid printed, so
 * nothing that tmux would have refused. Never measured for a terminal: terminals differ, the grid is what counts.
 */
import { eastAsianWidth } from 'get-east-asian-width';

/** What differs between tmux's versions in how characters share a cell. */
export interface JoiningRules {
  /** From 3.4 on a variation selector 16 and a skin tone make a narrow cell wide. */
  widening: boolean;
  /** From 3.6 on two regional indicators share a cell, and so do jamo of one syllable. */
  pairing: boolean;
}

export interface TextCell {
  text: string;
  columns: number;
}

export const NEWEST_RULES: JoiningRules = { widening: true, pairing: true };

/** `3.3a`; unknown versions are taken for new ones. */
export const joiningRules = (version: string | null): JoiningRules => {
  const match = /(\d+)\.(\d+)/.exec(version ?? '');
  if (!match) return NEWEST_RULES;
  const number = Number(match[1]) * 1_000 + Number(match[2]);
  return { widening: number >= 3_004, pairing: number >= 3_006 };
};

const ZWJ = 0x200d;
const VS16 = 0xfe0f;
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff\ud7b0-\ud7c6\ud7cb-\ud7fb]$/u;
/** Format characters that have a column of their own: soft hyphen, Arabic and Kaithi number signs. */
const VISIBLE_FORMAT = /^[\xad\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}]$/u;

/** Of one code point alone; 0 joins the cell before. */
const codePointColumns = (codePoint: number): number => {
  if (codePoint < 0x20 || (codePoint >= 0x7f && codePoint < 0xa0)) return 0;
  if (codePoint < 0x300) return 1;
  const character = String.fromCodePoint(codePoint);
  if (ZERO_WIDTH.test(character) && !VISIBLE_FORMAT.test(character)) return 0;
  return eastAsianWidth(codePoint);
};

const isRegional = (codePoint: number): boolean => codePoint >= 0x1f1e6 && codePoint <= 0x1f1ff;
const isSkinTone = (codePoint: number): boolean => codePoint >= 0x1f3fb && codePoint <= 0x1f3ff;

/** The last cell of a row, as far as the next character can join it. */
interface Open {
  text: string;
  columns: number;
  last: number;
  regionals: number;
}

const joins = (open: Open, codePoint: number, columns: number, rules: JoiningRules): boolean => {
  if (columns === 0 || open.last === ZWJ) return true;
  if (rules.widening && isSkinTone(codePoint)) return open.text.length > 1 || open.last > 0x7f;
  return rules.pairing && isRegional(codePoint) && open.regionals === 1 && isRegional(open.last);
};

const widens = (codePoint: number, columns: number, rules: JoiningRules): boolean =>
  (rules.widening && (codePoint === VS16 || isSkinTone(codePoint))) ||
  (rules.pairing && isRegional(codePoint) && columns > 0);

/**
 * The cells of a row, left to right. What joins nothing because it stands first is a cell of no columns. Controls have
 * no cell; a caller removes them.
 */
export const cellsOf = (text: string, rules: JoiningRules = NEWEST_RULES): TextCell[] => {
  const cells: Open[] = [];
  for (const character of text) {
    const codePoint = character.codePointAt(0) as number;
    const columns = codePointColumns(codePoint);
    const open = cells.at(-1);
    if (open && joins(open, codePoint, columns, rules)) {
      open.text += character;
      open.last = codePoint;
      if (isRegional(codePoint)) open.regionals += 1;
      if (open.columns === 1 && widens(codePoint, columns, rules)) open.columns = 2;
    } else cells.push({ text: character, columns, last: codePoint, regionals: isRegional(codePoint) ? 1 : 0 });
  }
  return cells.map(({ text: cell, columns }) => ({ text: cell, columns }));
};
