/** A prompt as it stands on an agent's screen, and the exact words that answer it. Pure; every character is cleaned. */
import { cleanText, cutEnd, textWidth } from '../../domain/clean-text.ts';
import type { PromptChoice, PromptReading } from '../../wire/gen/fleet/v1/terminal.ts';
import type { Painter } from '../render/paint.ts';
import { shellLine } from './shell-word.ts';

const INDENT = '  ';
const MAX_EXCERPT_LINES = 40;
const MAX_LABEL_CELLS = 48;

/** What a person types: the program (`fleet`), and the agent. */
export interface Typed {
  fleet: string;
  agent: string;
}

/** null where nothing can be answered, or not by words that can be copied. */
export const answerCommand = (
  { fleet, agent }: Typed,
  prompt: Pick<PromptReading, 'promptId'>,
  { name }: PromptChoice,
): string | null =>
  prompt.promptId === '' || name.startsWith('-')
    ? null
    : commandOf(fleet, 'answer', agent, name, '--prompt', prompt.promptId);

export const commandOf = (fleet: string, ...words: readonly string[]): string | null => {
  const line = shellLine(...words);
  return line === null ? null : `${fleet} ${line}`;
};

/** Lines without line ends. */
export const excerptLines = ({ excerpt }: PromptReading, paint: Painter): string[] => {
  const lines = excerpt.slice(0, MAX_EXCERPT_LINES).map((line) => cleanText(line).trimEnd());
  const left = excerpt.length - lines.length;
  return [...lines, ...(left > 0 ? [`… ${left} more lines`] : [])].map((line) =>
    `${INDENT}${paint('dim', '│')} ${line}`.trimEnd(),
  );
};

/** One line for each choice: what it says, and what to type. */
export const choiceLines = (typed: Typed, prompt: PromptReading, paint: Painter): string[] => {
  const labels = prompt.choices.map(labelOf);
  const width = Math.max(0, ...labels.map(textWidth));
  return prompt.choices.map((choice, index) => {
    const label = labels[index] as string;
    const command = answerCommand(typed, prompt, choice) ?? '(answer it with fleet keys or fleet attach)';
    return `${INDENT}${paint('strong', label)}${' '.repeat(width - textWidth(label))}  ${command}`;
  });
};

const labelOf = ({ name, label, selected }: PromptChoice): string => {
  const words = label === '' || label === name ? name : `${name}  ${label}`;
  return `${selected ? '>' : ' '} ${cutEnd(cleanText(words), MAX_LABEL_CELLS)}`;
};

/** As it came, for programs; jsonText makes it safe on a terminal. null where unknown, every field always there. */
export const promptObject = (typed: Typed, prompt: PromptReading): Record<string, unknown> => ({
  state: prompt.state,
  reason_code: orNull(prompt.reasonCode),
  rule: orNull(prompt.rule),
  id: orNull(prompt.promptId),
  excerpt: prompt.excerpt,
  choices: prompt.choices.map((choice) => ({
    name: choice.name,
    label: choice.label,
    selected: choice.selected,
    command: answerCommand(typed, prompt, choice),
  })),
  composer: prompt.composer ? { text: prompt.composer.text, placeholder: prompt.composer.placeholder } : null,
});

const orNull = (text: string): string | null => (text === '' ? null : text);
