/** Questions to a person at a terminal, each with what an empty answer means. */
import { createInterface } from 'node:readline/promises';
import { cleanText } from '../domain/clean-text.ts';
import type { CommandContext } from './command.ts';

type Asked = Pick<CommandContext, 'stdin' | 'stderr' | 'signal'>;

export const askLine = async ({ stdin, stderr, signal }: Asked, question: string, empty: string): Promise<string> => {
  using lines = createInterface({ input: stdin, output: stderr });
  const answer = (await lines.question(cleanText(`${question} [${empty}] `), { signal })).trim();
  return answer === '' ? empty : answer;
};

/** Asks again for as long as the answer is none of them; a beginning that fits one alone is enough. */
export const askChoice = async <T extends string>(
  asked: Asked,
  question: string,
  choices: readonly T[],
  empty: T,
): Promise<T> => {
  for (;;) {
    const answer = await askLine(asked, `${question} (${choices.join(', ')})`, empty);
    const fitting = choices.filter((choice) => choice.startsWith(answer.toLowerCase()));
    if (fitting.length === 1) return fitting[0] as T;
  }
};

export const askYes = async (asked: Asked, question: string, empty: boolean): Promise<boolean> =>
  /^y(es)?$/i.test(await askLine(asked, question, empty ? 'yes' : 'no'));
