/**
 * The engine of the screen rules. Comes in: a screen and the rules of its runtime. Goes out: what the first rule that
 * fits says, on which lines, and a name of the prompt that another text or other choices do not share.
 */
import { cleanText, cutEnd } from './clean-text.ts';
import { type PromptChoice, readChoices } from './prompt-choices.ts';
import { type ComposerReading, type FoundComposer, findComposer } from './prompt-composer.ts';
import type { Condition, PromptRule, PromptState, RuleSet } from './prompt-rules.ts';
import { lastNonBlank, type ScreenLine, type ScreenText, type StyledScreen, screenText } from './screen-text.ts';

export interface ScreenReading {
  state: PromptState | 'unknown';
  /** Of the rule that decided; null: none fits. */
  rule: PromptRule | null;
  /** Cleaned lines on which the rule stands. */
  excerpt: string[];
  /** Empty unless blocked. */
  promptId: string;
  /** The prompt in at most 80 cells, cleaned; empty unless blocked. */
  summary: string;
  choices: PromptChoice[];
  composer: ComposerReading | null;
}

/** A short digest of a text; two texts that differ must not be brought to share one. */
export type Digest = (text: string) => string;

const SUMMARY_CELLS = 80;
const EXCERPT_LINES = 8;
const EXCERPT_CELLS = 160;
const PROMPT_LINES = 40;
/** Of a prompt whose beginning no rule knows. */
const UNBOUNDED_LINES = 16;

export const readScreen = (rules: RuleSet, picture: StyledScreen, digest: Digest): ScreenReading => {
  const screen = screenText(picture);
  const composer = rules.composer === null ? null : findComposer(screen, rules.composer);
  for (const rule of rules.rules) {
    const prompt = promptLines(rule, screen, composer);
    const lines = fittingLines(rule, screen, composer, prompt);
    if (lines === null) continue;
    const excerpt = (rule.state === 'blocked' ? prompt : lines).slice(0, EXCERPT_LINES).map(excerptOf);
    // What blocks stands in the composer's place, unless the rule says that it does not.
    const inPlace = rule.state === 'blocked' && rule.composer !== 'present';
    const read = { state: rule.state, rule, excerpt, composer: inPlace ? null : readingOf(composer) };
    if (rule.state !== 'blocked') return { ...read, promptId: '', summary: '', choices: [] };
    const choices = readChoices(rule, prompt, screen.rows);
    return {
      ...read,
      promptId: promptId(rules.runtime, rule, prompt, choices, digest),
      summary: summaryOf(rule, prompt, choices),
      choices: choices.map((choice) => ({ ...choice, label: cleanText(choice.label) })),
    };
  }
  const nothing = { rule: null, excerpt: [], promptId: '', summary: '', choices: [] };
  return { state: 'unknown', ...nothing, composer: readingOf(composer) };
};

const readingOf = (composer: FoundComposer | null): ComposerReading | null =>
  composer && { y: composer.y, x: composer.x, text: composer.text, placeholder: composer.placeholder };

const excerptOf = ({ text }: ScreenLine): string => cutEnd(cleanText(text), EXCERPT_CELLS);

/** The lines on which the rule stands; null when it does not fit. */
const fittingLines = (
  rule: PromptRule,
  screen: ScreenText,
  composer: FoundComposer | null,
  prompt: readonly ScreenLine[],
): ScreenLine[] | null => {
  if (rule.composer === 'present' && composer === null) return null;
  if (rule.composer === 'absent' && composer !== null) return null;
  const found: ScreenLine[] = [];
  for (const condition of rule.when) {
    const lines = regionOf(condition, screen, composer, prompt);
    if (condition.hasNot.some((pattern) => lines.some(({ text }) => pattern.test(text)))) return null;
    for (const pattern of condition.has) {
      const line = lines.findLast(({ text }) => pattern.test(text));
      if (line === undefined) return null;
      if (condition.where !== 'title' && !found.includes(line)) found.push(line);
    }
  }
  return found;
};

const regionOf = (
  { where, lines: count }: Condition,
  { title, lines }: ScreenText,
  composer: FoundComposer | null,
  prompt: readonly ScreenLine[],
): readonly ScreenLine[] => {
  switch (where) {
    case 'title':
      return [{ y: -1, text: title }];
    case 'screen':
      return lines;
    case 'bottom':
      return lastNonBlank(lines, count);
    case 'above-composer':
      return composer === null
        ? []
        : lastNonBlank(
            lines.filter(({ y }) => y < composer.top),
            count,
          );
    case 'prompt':
      return prompt;
  }
};

/** Where the rule says that the prompt is; blank lines left out. */
const promptLines = (
  { prompt: { from, after, inside, leaveOut }, composer: placed }: PromptRule,
  { lines }: ScreenText,
  composer: FoundComposer | null,
): ScreenLine[] => {
  if (inside && composer === null) return [];
  const within = ({ y }: ScreenLine): boolean => {
    if (composer === null) return true;
    if (inside) return y > composer.top && y < composer.bottom;
    return placed !== 'present' || y < composer.top;
  };
  const low = lastNonBlank(lines, PROMPT_LINES).filter(within);
  const at = from === null ? -1 : low.findLastIndex(({ text }) => from.test(text));
  if (from !== null && at < 0) return [];
  const own = from === null ? low.slice(inside ? 0 : -UNBOUNDED_LINES) : low.slice(after ? at + 1 : at);
  return own.filter(({ text }) => !leaveOut.some((pattern) => pattern.test(text)));
};

/** Frames of a spinner, lines that only draw, and times in brackets come and go while a prompt stays. */
const SPINNERS = /[\u2800-\u28ff✢✳✶✻✽◐◓◑◒]/gu;
const DRAWN = /^[\s\u2500-\u259f]*$/u;
const TIMES = /\((?:\d+[hms] ?)+(?= ?[)•·])/gu;

/** Which choice is selected is no part of it, how lines are wrapped neither. */
const promptId = (
  runtime: string,
  rule: PromptRule,
  lines: readonly ScreenLine[],
  choices: readonly PromptChoice[],
  digest: Digest,
): string => {
  const selected = rule.choices !== null && 'selected' in rule.choices ? rule.choices.selected : null;
  const words = lines
    .filter(({ text }) => !DRAWN.test(text))
    .map(({ text }) => (selected === null ? text : text.replace(selected, ' ')))
    .map((text) => text.replace(SPINNERS, ' ').replace(TIMES, '('))
    .join(' ')
    .replace(/\s+/gu, ' ')
    .trim();
  const labels = choices.map(({ name, label }) => `${name} ${label.replace(SPINNERS, '').trim()}`);
  return digest(JSON.stringify([runtime, rule.name, words, labels]));
};

/** Borders and boxes to tick. */
const DRAWING = /[\u2500-\u259f\u2610-\u2612]/gu;

/** What is asked, without the choices. */
const summaryOf = (rule: PromptRule, lines: readonly ScreenLine[], choices: readonly PromptChoice[]): string => {
  const labels = choices.map(({ label }) => label).filter((label) => label !== '');
  const { gist } = rule.prompt;
  const most = gist === null ? [] : lines.filter(({ text }) => gist.test(text));
  const words = [...most, ...lines.filter((line) => !most.includes(line))]
    .map(({ text }) => text.replace(DRAWING, ' ').trim())
    .filter((text) => text !== '' && !labels.some((label) => text.includes(label)))
    .join(' ')
    .replace(/\s+/gu, ' ');
  return cutEnd(cleanText(words === '' ? (rule.reason ?? rule.name) : words), SUMMARY_CELLS);
};
