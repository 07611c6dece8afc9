/** Before many agents are changed: how many and which, and whether that is meant. Throws where it is not. */
import { createInterface } from 'node:readline/promises';
import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import type { LifecycleVerb } from '../../domain/order.ts';
import type { CommandContext } from '../command.ts';
import type { OrderPlace } from '../orders/change-target.ts';
import { UsageError } from '../usage-error.ts';

const SHOWN = 10;

/** `restart 3 agents on 2 hosts: …` */
export const manyWords = (verb: LifecycleVerb, agents: readonly OrderPlace[]): string => {
  const hosts = new Set(agents.map(({ moment }) => `${moment.host.cell}/${moment.host.host}`)).size;
  const names = agents.slice(0, SHOWN).map(({ typed }) => typed);
  const more = agents.length > SHOWN ? ` and ${agents.length - SHOWN} more` : '';
  return cleanText(
    `${verb} ${agents.length} agent${agents.length === 1 ? '' : 's'} on ${hosts} host${hosts === 1 ? '' : 's'}: ${names.join(', ')}${more}`,
  );
};

/** One alone that was named needs no question; what a selection means is always said before. */
export const askMany = async (
  { flags, stdin, stderr, signal }: CommandContext,
  verb: LifecycleVerb,
  agents: readonly OrderPlace[],
  { isNamed }: { isNamed: boolean },
): Promise<void> => {
  if (agents.length === 1 && isNamed) return;
  const words = manyWords(verb, agents);
  if (flags.yes) return void stderr.write(`${words}\n`);
  if (!stdin.isTTY) throw new UsageError(`${words}? Not on a terminal: add --yes`);
  using lines = createInterface({ input: stdin, output: stderr });
  const answer = await lines.question(`${words}? [y/N] `, { signal });
  if (!/^y(es)?$/i.test(answer.trim())) throw new FleetError('ABORTED', 'nothing was changed');
};
