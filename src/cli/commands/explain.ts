import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { askWhy } from '../orders/ask-why.ts';
import { findAgent } from '../orders/change-target.ts';
import { explainLines, explainObject } from '../orders/explain-text.ts';
import { fleetWords } from '../orders/shell-word.ts';
import { linesOf, writeAll } from '../output.ts';
import { jsonText } from '../render/json.ts';
import { painterFor } from '../render/paint.ts';

export const run = async ({ positionals, flags, paths, env, stdout, signal }: CommandContext): Promise<number> => {
  const agent = await findAgent(paths, positionals[0] as string, 'look', signal);
  const why = await askWhy(paths, agent, signal);
  const explained = {
    address: agent.address,
    typed: { fleet: fleetWords(paths), agent: agent.typed },
    current: agent.moment.current,
    why,
  };
  const lines =
    flags.output === 'json' ? [jsonText(explainObject(explained))] : explainLines(explained, painterFor(stdout, env));
  await writeAll(stdout, linesOf(lines), signal);
  return EXIT.done;
};
