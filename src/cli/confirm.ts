/** A question before a change that cannot be taken back, or that means many. Throws where the answer is no. */
import { createInterface } from 'node:readline/promises';
import { FleetError } from '../domain/errors.ts';
import type { CommandContext } from './command.ts';
import { UsageError } from './usage-error.ts';

/** `question` ends with its mark. `--yes` answers it. */
export const confirm = async (
  { flags, stdin, stderr, signal }: Pick<CommandContext, 'flags' | 'stdin' | 'stderr' | 'signal'>,
  question: string,
): Promise<void> => {
  if (flags.yes) return;
  if (!stdin.isTTY) throw new UsageError(`${question} Not on a terminal: add --yes`);
  using lines = createInterface({ input: stdin, output: stderr });
  const answer = await lines.question(`${question} [y/N] `, { signal });
  if (!/^y(es)?$/i.test(answer.trim())) throw new FleetError('ABORTED', 'nothing was changed');
};
