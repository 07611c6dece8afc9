/** Before many agents are changed: how many and which, and whether that is meant. Throws where it is not. */
import { cleanText } from '../../domain/clean-text.ts';
import type { LifecycleVerb } from '../../domain/order.ts';
import type { CommandContext } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { OrderPlace } from '../orders/change-target.ts';

const SHOWN = 10;

/** `restart 3 agents on 2 hosts: …` */
const manyWords = (verb: LifecycleVerb, agents: readonly OrderPlace[]): string => {
  const hosts = new Set(agents.map(({ moment }) => `${moment.host.cell}/${moment.host.host}`)).size;
  const names = agents.slice(0, SHOWN).map(({ typed }) => typed);
  const more = agents.length > SHOWN ? ` and ${agents.length - SHOWN} more` : '';
  return cleanText(
    `${verb} ${agents.length} agent${agents.length === 1 ? '' : 's'} on ${hosts} host${hosts === 1 ? '' : 's'}: ${names.join(', ')}${more}`,
  );
};

/** One alone that was named needs no question; what a selection means is always said before. */
export const askMany = async (
  context: CommandContext,
  verb: LifecycleVerb,
  agents: readonly OrderPlace[],
  { isNamed }: { isNamed: boolean },
): Promise<void> => {
  if (agents.length === 1 && isNamed) return;
  const words = manyWords(verb, agents);
  if (context.flags.yes) return void context.stderr.write(`${words}\n`);
  await confirm(context, `${words}?`);
};
