/** A screen's reading as evidence of readiness: with the moment since which it has been so. */
import type { ScreenReading } from '../../src/domain/prompt-reading.ts';
import type { PromptEvidence } from '../../src/domain/readiness.ts';

/** `drawnMs`: when the program last wrote anything, which a prompt seen for the first time has stood since at most. */
export const promptEvidence = (
  reading: ScreenReading | null,
  runtime: string | null,
  before: PromptEvidence | null,
  drawnMs: number,
): PromptEvidence | null => {
  if (reading === null || reading.rule === null || reading.state === 'unknown') return null;
  const { rule, promptId, summary, state } = reading;
  const name = `${runtime}/${rule.name}`;
  const same = before !== null && before.rule === name && before.promptId === promptId;
  return {
    state,
    rule: name,
    reason: rule.reason,
    reasonCode: rule.reasonCode,
    need: rule.need,
    promptId,
    summary,
    sinceMs: same ? before.sinceMs : drawnMs,
  };
};
