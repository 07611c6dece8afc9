import { cleanText } from '../../domain/clean-text.ts';
import { editRoster } from '../../roster/edit/edit-roster.ts';
import type { CommandContext } from '../command.ts';
import { takeAgentInHand } from '../desired/agent-in-hand.ts';
import { runChange } from '../desired/change-run.ts';
import { changeTo } from '../desired/in-hand.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, stderr } = context;
  const hand = await takeAgentInHand(context, positionals[0] as string, 'destroy');
  const { agent, entry, held } = hand;
  stderr.write(`${cleanText(agent.address)}\n`);
  const text = editRoster(held.text?.text ?? '', { remove: new Set([entry.index]) });
  const change = changeTo(hand, text, entry.agent.name, { force: flags.force === true, launches: true });
  const files = flags.purge ? ' with its env file' : '';
  const question = `end ${agent.address} and take it out of ${held.path}${files}`;
  return await runChange(context, { ...change, purge: flags.purge === true, question });
};
