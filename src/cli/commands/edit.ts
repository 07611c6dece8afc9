import { cleanText } from '../../domain/clean-text.ts';
import { editRoster } from '../../roster/edit/edit-roster.ts';
import type { CommandContext } from '../command.ts';
import { type AgentInHand, takeAgentInHand } from '../desired/agent-in-hand.ts';
import { runChange } from '../desired/change-run.ts';
import { EditedText } from '../desired/edited-text.ts';
import { keyChanges } from '../desired/entry-words.ts';
import { changeTo } from '../desired/in-hand.ts';
import { EXIT } from '../exit-codes.ts';
import { UsageError } from '../usage-error.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, stdin, stdout, stderr } = context;
  const keys = keyChanges((flags.set as string[] | undefined) ?? [], (flags.unset as string[] | undefined) ?? []);
  if (keys.length === 0 && !(stdin.isTTY && stdout.isTTY))
    throw new UsageError(
      'what shall change? --set KEY=VALUE, --unset KEY; on a terminal your editor opens without them',
    );
  const hand = await takeAgentInHand(context, positionals[0] as string, 'change');
  stderr.write(`${cleanText(hand.agent.address)}\n`);
  if (keys.length === 0) return await editByHand(context, hand);
  const { entry, held } = hand;
  const text = editRoster(held.text?.text ?? '', { change: new Map([[entry.index, keys]]) });
  return await runChange(context, changeTo(hand, text, entry.agent.name, options(context)));
};

const options = ({ flags }: CommandContext) => ({ force: flags.force === true, launches: true });

/** All of that host's roster; what was typed is never lost. */
const editByHand = async (context: CommandContext, hand: AgentInHand): Promise<number> => {
  const { held, place } = hand;
  const edited = await EditedText.open(context, `roster of ${place.id}`, held.path, held.text?.text ?? '');
  try {
    const change = await edited.until((text) => changeTo(hand, text, null, options(context)));
    if (change === null) {
      context.stderr.write('nothing was changed\n');
      await edited.remove();
      return EXIT.done;
    }
    const code = await runChange(context, change);
    if (code === EXIT.done) await edited.remove();
    else edited.sayKept();
    return code;
  } catch (error) {
    edited.sayKept();
    throw error;
  }
};
