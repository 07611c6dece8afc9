/** Comes in: a runtime and its screen. Goes out: what the rules on the shelf say of it. Keeps nothing. */
import { createHash } from 'node:crypto';
import { type AnswerKeys, answerKeys } from '../../src/domain/prompt-choices.ts';
import { readScreen, type ScreenReading } from '../../src/domain/prompt-reading.ts';
import type { RuleSet } from '../../src/domain/prompt-rules.ts';
import type { ScreenPicture } from '../../src/screen/screen-log.ts';
import type { PromptReading } from '../../src/wire/gen/fleet/v1/terminal.ts';
import type { PromptReader } from '../terminal/ports.ts';

/** The consumer's port on the shelf. */
export interface Rules {
  rulesFor(runtime: string | null): RuleSet | null;
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

export class ScreenPrompts implements PromptReader {
  readonly #rules: Rules;

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  /** Names the rules of a runtime as they are now; null: there are none. */
  version(runtime: string | null): string | null {
    const rules = this.#rules.rulesFor(runtime);
    return rules && `${rules.runtime} rules ${rules.version}${rules.file === null ? '' : `, ${rules.file}`}`;
  }

  reading(runtime: string | null, picture: ScreenPicture): ScreenReading | null {
    const rules = this.#rules.rulesFor(runtime);
    return rules === null ? null : readScreen(rules, picture, digest);
  }

  read(runtime: string | null, picture: ScreenPicture): PromptReading | null {
    const reading = this.reading(runtime, picture);
    return reading === null ? null : promptMessage(reading);
  }

  answer(runtime: string | null, picture: ScreenPicture, choice: string): AnswerKeys | null {
    const reading = this.reading(runtime, picture);
    return reading?.state !== 'blocked' || reading.rule === null
      ? null
      : answerKeys(reading.rule, reading.choices, choice);
  }
}

export const promptMessage = ({ state, rule, excerpt, promptId, choices, composer }: ScreenReading): PromptReading => ({
  state,
  reasonCode: rule?.reasonCode ?? '',
  rule: rule?.name ?? '',
  excerpt,
  promptId,
  choices,
  composer: composer ?? undefined,
});
