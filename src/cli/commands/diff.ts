import { cleanText } from '../../domain/clean-text.ts';
import { isAsDesired } from '../../domain/desired-plan.ts';
import type { CommandContext } from '../command.ts';
import { isWhole, planObject } from '../desired/plan-json.ts';
import { leftOut, planCounts, planLines } from '../desired/plan-lines.ts';
import { survey } from '../desired/survey.ts';
import { EXIT } from '../exit-codes.ts';
import { linesOf, writeAll } from '../output.ts';
import { jsonText } from '../render/json.ts';
import { painterFor } from '../render/paint.ts';

/** As diff(1) has it. */
const DIFFERS = EXIT.failed;

export const run = async (context: CommandContext): Promise<number> => {
  const { flags, env, stdout, stderr, signal } = context;
  const say = (line: string): void => void stderr.write(`${cleanText(line)}\n`);
  const { desired, mirror, scope, plan, notes, isCurrent, age } = await survey(context);
  for (const note of notes) say(note);
  const lines =
    flags.output === 'json'
      ? [jsonText(planObject(plan, { cell: mirror.cell, roster: desired.path, isCurrent }))]
      : planLines(plan, age, painterFor(stdout, env));
  await writeAll(stdout, linesOf(lines), signal);
  if (flags.output !== 'json') say([planCounts(plan), ...leftOut(scope.passedOver)].join(' · '));
  if (!isWhole(plan, isCurrent)) return EXIT.partial;
  return isAsDesired(plan) ? EXIT.done : DIFFERS;
};
