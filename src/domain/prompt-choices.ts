/** Reads what may be answered to a prompt, and says which keys give an answer. */
import type { ChoiceKeys, PromptRule } from './prompt-rules.ts';
import type { ScreenLine, StyledScreen } from './screen-text.ts';

export interface PromptChoice {
  /** A number, or what the rule calls it. */
  name: string;
  label: string;
  /** The one that Enter takes now. */
  selected: boolean;
}

/** Press `moves`, see that the choice is the selected one, press `confirm`. Keys by tmux's names. */
export interface AnswerKeys {
  choice: PromptChoice;
  moves: string[];
  confirm: string[];
}

const MAX_CHOICES = 20;
const NUMBERED = /^\s*[^\p{L}\p{N}]{0,3}?\s*(\d{1,2})[.)] +(\S.*)$/u;

export const readChoices = (
  rule: Pick<PromptRule, 'choices'>,
  lines: readonly ScreenLine[],
  rows: StyledScreen['rows'],
): PromptChoice[] => {
  const { choices } = rule;
  switch (choices?.list) {
    case 'numbered':
      return numbered(lines, choices.selected);
    case 'marked':
      return marked(lines, choices.selected);
    case 'inline':
      return inline(lines, choices.labels, rows);
    case 'fixed':
      return choices.choices.map(({ name, label, selected }) => ({ name, label, selected }));
    default:
      return [];
  }
};

/** The lowest list that counts up from 1: numbers above it are the prompt's text. */
const numbered = (lines: readonly ScreenLine[], selected: RegExp): PromptChoice[] => {
  const found = lines.flatMap(({ text }) => {
    const match = NUMBERED.exec(text);
    return match
      ? [{ number: Number(match[1]), label: labelOf(match[2] as string), selected: selected.test(text) }]
      : [];
  });
  const first = found.findLastIndex(({ number }) => number === 1);
  if (first < 0) return [];
  const list = found.slice(first, first + MAX_CHOICES);
  const broken = list.findIndex(({ number }, index) => number !== index + 1);
  return (broken < 0 ? list : list.slice(0, broken)).map(({ number, label, selected: is }) => ({
    name: String(number),
    label,
    selected: is,
  }));
};

/** The marked line with its neighbours above and below that are written at the same column. */
const marked = (lines: readonly ScreenLine[], selected: RegExp): PromptChoice[] => {
  const at = lines.findLastIndex(({ text }) => selected.test(text));
  if (at < 0) return [];
  const column = ((lines[at] as ScreenLine).text.match(selected)?.[0] ?? '').length;
  const isChoice = (line: ScreenLine): boolean =>
    line.text.length > column && /^[\s✔✓]*$/u.test(line.text.slice(0, column)) && line.text[column] !== ' ';
  const follows = (upper: ScreenLine | undefined, lower: ScreenLine | undefined): boolean =>
    upper !== undefined && lower !== undefined && lower.y === upper.y + 1;
  let first = at;
  while (at - first < MAX_CHOICES && follows(lines[first - 1], lines[first]) && isChoice(lines[first - 1]!)) first -= 1;
  let last = at;
  while (last - first < MAX_CHOICES && follows(lines[last], lines[last + 1]) && isChoice(lines[last + 1]!)) last += 1;
  return lines.slice(first, last + 1).map(({ text }, index) => ({
    name: String(index + 1),
    label: labelOf(text.slice(column)),
    selected: first + index === at,
  }));
};

/** All labels in one line, in this order; the one whose background no other has is selected. */
const inline = (
  lines: readonly ScreenLine[],
  labels: readonly string[],
  rows: StyledScreen['rows'],
): PromptChoice[] => {
  const line = lines.findLast(({ text }) => labels.every((label) => text.includes(label)));
  if (line === undefined) return [];
  const backgrounds = labels.map(
    (label) => (rows[line.y] ?? []).find(({ text }) => text.includes(label))?.background ?? null,
  );
  return labels.map((label, index) => ({
    name: String(index + 1),
    label,
    selected: backgrounds.filter((each) => each === backgrounds[index]).length === 1 && labels.length > 2,
  }));
};

const labelOf = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, 200);

/** The choice that a person means: its name, its whole label, or the start of one label only. Null: none, or several. */
export const choiceMeant = (choices: readonly PromptChoice[], said: string): PromptChoice | null => {
  const word = said.trim().toLowerCase();
  if (word === '') return null;
  const exact = choices.find(({ name }) => name.toLowerCase() === word);
  if (exact) return exact;
  const labels = choices.filter(({ label }) => label.toLowerCase() === word);
  const starts = labels.length > 0 ? labels : choices.filter(({ label }) => label.toLowerCase().startsWith(word));
  return starts.length === 1 ? (starts[0] as PromptChoice) : null;
};

/** Null where the rule cannot say: no such choice, or none that is known to be selected to move from. */
export const answerKeys = (
  rule: Pick<PromptRule, 'choices'>,
  choices: readonly PromptChoice[],
  said: string,
): AnswerKeys | null => {
  const choice = choiceMeant(choices, said);
  if (choice === null || rule.choices === null) return null;
  const { keys } = rule.choices;
  // Of two digits the first would be taken for an answer.
  if (keys === 'digit') return choice.name.length === 1 ? { choice, moves: [], confirm: [choice.name] } : null;
  if (rule.choices.list === 'fixed') {
    const fixed = rule.choices.choices.find(({ name }) => name === choice.name);
    return fixed ? { choice, moves: [], confirm: [...fixed.keys] } : null;
  }
  const from = choices.findIndex(({ selected }) => selected);
  if (from < 0) return null;
  return { choice, moves: movesOf(keys, choices.indexOf(choice) - from), confirm: ['Enter'] };
};

const movesOf = (keys: ChoiceKeys, steps: number): string[] => {
  const [back, forth] = keys === 'sideways' ? ['Left', 'Right'] : ['Up', 'Down'];
  return new Array<string>(Math.abs(steps)).fill((steps < 0 ? back : forth) as string);
};
