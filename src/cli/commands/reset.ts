import type { CommandContext } from '../command.ts';
import { runLifecycle } from '../lifecycle/run-lifecycle.ts';

export const run = (context: CommandContext): Promise<number> => runLifecycle(context, 'reset');
