/** How many columns of tmux's grid a row of text takes, as the shipped cells say. */
import { cellsOf, type JoiningRules } from '../../src/screen/text-columns.ts';

export const textColumns = (text: string, rules?: JoiningRules): number =>
  cellsOf(text, rules).reduce((sum, { columns }) => sum + columns, 0);
