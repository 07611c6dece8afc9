/** Why an agent is shown as it is: the evidence, the rule that decided, the screen it stands on. Pure. */
import { cleanText, textWidth } from '../../domain/clean-text.ts';
import type { Evidence, ExplainAgentResponse, PromptReading } from '../../wire/gen/fleet/v1/terminal.ts';
import type { Painter } from '../render/paint.ts';
import { choiceLines, excerptLines, promptObject, type Typed } from './prompt-text.ts';

export interface Explained {
  /** `cell/host/user/agent`. */
  address: string;
  typed: Typed;
  current: boolean;
  why: ExplainAgentResponse;
}

/** Lines without line ends. */
export const explainLines = ({ address, typed, why }: Explained, paint: Painter): string[] => {
  const code = why.reasonCode === '' ? '' : ` (${why.reasonCode})`;
  const state = cleanText(`${why.readiness}${why.reason === '' ? '' : `: ${why.reason}`}${code}`);
  const lines = [`${cleanText(address)}  ${paint('strong', state)}`, '', ...evidenceLines(why.evidence, paint)];
  if (why.rules !== '') lines.push('', `rules    ${cleanText(why.rules)}`);
  if (why.prompt) lines.push(...promptLines(typed, why.prompt, paint));
  return lines;
};

const evidenceLines = (evidence: readonly Evidence[], paint: Painter): string[] => {
  if (evidence.length === 0) return ['no evidence'];
  const sources = evidence.map(({ source }) => cleanText(source));
  const width = Math.max('SOURCE'.length, ...sources.map(textWidth));
  const rows = evidence.map(({ fact, decisive }, index) => {
    const source = sources[index] as string;
    const text = `${source}${' '.repeat(width - textWidth(source))}  ${cleanText(fact)}`;
    return decisive ? `* ${paint('strong', text)}` : `  ${text}`;
  });
  return [`  ${'SOURCE'.padEnd(width)}  FACT (* decided)`, ...rows];
};

const promptLines = (typed: Typed, prompt: PromptReading, paint: Painter): string[] => {
  const rule = prompt.rule === '' ? 'no rule fits' : prompt.rule;
  const code = prompt.reasonCode === '' ? '' : ` (${prompt.reasonCode})`;
  const lines = [`screen   ${cleanText(`${prompt.state}${code}, by ${rule}`)}`];
  if (prompt.promptId !== '') lines.push(`prompt   ${cleanText(prompt.promptId)}`);
  if (prompt.composer && prompt.composer.text !== '') {
    lines.push(`composer ${cleanText(prompt.composer.text)}${prompt.composer.placeholder ? ' (a hint)' : ''}`);
  }
  if (prompt.excerpt.length > 0) lines.push('', ...excerptLines(prompt, paint));
  if (prompt.choices.length > 0) lines.push('', ...choiceLines(typed, prompt, paint));
  return lines;
};

/** Of `fleet explain -o json`; null where unknown, every field always there. */
export const explainObject = ({ address, typed, current, why }: Explained): Record<string, unknown> => ({
  schema: 'fleet.explain/v1',
  address,
  current,
  readiness: why.readiness,
  reason: orNull(why.reason),
  reason_code: orNull(why.reasonCode),
  evidence: why.evidence.map(({ source, fact, decisive }) => ({ source, fact, decisive })),
  rules: orNull(why.rules),
  prompt: why.prompt ? promptObject(typed, why.prompt) : null,
});

const orNull = (text: string): string | null => (text === '' ? null : text);
